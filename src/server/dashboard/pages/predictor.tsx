/** Predictor. */
export default function Predictor() {
  return <h1>Predictor</h1>;
}
