/** Drop a file. */
export default function Model() {
  return <h1>Drop a file</h1>;
}
