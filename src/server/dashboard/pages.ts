/**
 * The pages: where they are, what the navigation calls them, and what loads them.
 */
import type { ComponentType } from "preact";
import { lazy } from "preact-iso";

/** A page of the dashboard. */
export interface Page {
  readonly name: string;
  /** Where the navigation leads. */
  readonly path: string;
  /** Patterns of all its addresses. */
  readonly routes: readonly string[];
  readonly component: ComponentType;
}

/** In the order of the navigation. */
export const pages: readonly Page[] = [
  {
    name: "Platforms",
    path: "/platforms",
    routes: ["/", "/platforms"],
    component: lazy(() => import("./pages/platforms.js")),
  },
  {
    name: "Predictor",
    path: "/predictor",
    routes: ["/predictor/:id?"],
    component: lazy(() => import("./pages/predictor.js")),
  },
  {
    name: "Explore",
    path: "/explore",
    routes: ["/explore"],
    component: lazy(() => import("./pages/explore.js")),
  },
  {
    name: "Budget",
    path: "/budget",
    routes: ["/budget"],
    component: lazy(() => import("./pages/budget.js")),
  },
  {
    name: "Onboard",
    path: "/onboard",
    routes: ["/onboard/:job?"],
    component: lazy(() => import("./pages/onboard.js")),
  },
  {
    name: "Drop a file",
    path: "/model",
    routes: ["/model"],
    component: lazy(() => import("./pages/model.js")),
  },
];
