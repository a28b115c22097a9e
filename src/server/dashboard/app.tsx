/** The frame around all pages: navigation, and which page is shown. */
export function App() {
  return <h1>Samara</h1>;
}
