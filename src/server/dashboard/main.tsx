/** Starts the dashboard. */
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";
import { render } from "preact";
import { App } from "./app.js";
import { keepTokenOfUrl } from "./shell/api.js";
import { followTheme } from "./shell/theme.js";

keepTokenOfUrl();
followTheme();
render(<App />, document.getElementById("app")!);
