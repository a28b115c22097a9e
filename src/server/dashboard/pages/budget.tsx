/** Budget. */
export default function Budget() {
  return <h1>Budget</h1>;
}
