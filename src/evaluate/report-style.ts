/**
 * The style sheet of a report: one column, light or dark as the reader has it, from 390 pixels up.
 */
import { colorStyles, fontFamily } from "./charts.js";

/** Narrower screens get the charts drawn for `narrowChartWidth`. */
const narrowBelow = 800;
export const wideChartWidth = 720;
export const narrowChartWidth = 340;

export const reportStyles = `${colorStyles(":root")}
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 ${fontFamily}}
header,main{max-width:60rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2rem}
main{padding-bottom:4rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:3rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.75rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
.muted,caption,figcaption,dt{color:var(--muted)}
h1 span{display:block;font-size:1.1rem}
.verdict{font-size:1.5rem;line-height:1.3;margin:1.5rem 0 .25rem}
.verdict strong{color:var(--verified)}
.notice{border-left:4px solid var(--verified);background:var(--band);padding:.6rem .9rem;margin:1rem 0}
.notice.doubt{border-color:var(--miss)}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.5rem,1fr));gap:.75rem 1.5rem;margin:1rem 0}
dt{font-size:.875rem}
dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.figures dd{font-size:1.3rem;line-height:1.3}
.figures dd small{display:block;font-size:.875rem;color:var(--muted)}
figure{margin:1.5rem 0}
figure svg{display:block;max-width:100%;height:auto}
figcaption{font-size:.875rem;max-width:46rem;margin-top:.5rem;overflow-wrap:anywhere}
.narrow{display:none}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.9rem;min-width:100%}
caption{text-align:left;font-size:.875rem;padding-bottom:.4rem}
caption span{display:inline-block;position:sticky;left:0;max-width:min(46rem,calc(100vw - 2.2rem));overflow-wrap:anywhere}
th,td{text-align:left;vertical-align:top;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);font-weight:400}
thead th{font-weight:600;vertical-align:bottom;white-space:nowrap}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td small{color:var(--muted)}
tr.own th,tr.own td{font-weight:600}
tr.missed .outcome{color:var(--miss);font-weight:600}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.85em}
.cell{display:block;color:var(--muted);font-size:.75rem;min-width:15rem}
pre{background:var(--band);padding:.8rem 1rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
summary{cursor:pointer;padding:.4rem 0}
:focus-visible{outline:2px solid var(--verified);outline-offset:2px}
@media (max-width:${narrowBelow - 1}px){.wide{display:none}.narrow{display:block}}
@media (min-width:1000px){.cell{min-width:22rem}}
@media (max-width:600px){header,main{padding-left:1rem;padding-right:1rem}.verdict{font-size:1.25rem}dl{grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr))}table{font-size:.85rem}th,td{padding-right:.6rem}.cell{font-size:.65rem;min-width:9.5rem}}
@media print{.scroll{overflow:visible}h2{break-after:avoid}figure,tr{break-inside:avoid}}
`;
