// Bringing a token.

import { h } from "./dom.js";
import { command } from "./parts.js";

// The chart brings a role for readers; without it one has to be made.
export function signin(refused, namespace = "clusterswitch", release = "") {
  const kubectl = `kubectl --namespace ${namespace} `;
  const right = refused?.status === 403;
  return h("section", { class: "signin card" },
    h("h1", null, "Sign in"),
    h("p", null, "This page shows where users' traffic goes, so it asks who you are: with a Kubernetes bearer token of the management cluster, of somebody who may ",
      h("code", null, "get trafficswitches"), "."),
    refused && refused.code !== "TokenMissing" && h("p", { class: "note bad", role: "alert" }, h("strong", null, right ? "The token is good, a right is missing: " : "Not let in: "), refused.message, "."),
    h("form", { id: "signin" },
      h("label", { for: "token" }, "Token"),
      h("input", { id: "token", name: "token", type: "password", autocomplete: "off", spellcheck: "false", autocapitalize: "none", required: true, "aria-describedby": "token-note" }),
      h("p", { class: "quiet", id: "token-note" }, "It stays in this tab, and is gone when you close it."),
      h("button", { type: "submit", class: "primary" }, "Sign in")),
    h("h2", null, "Where to get one"),
    h("p", null, "Make a short-lived one for a service account that may read:"),
    command(kubectl + "create token clusterswitch-viewer --duration 8h"),
    h("p", null, "and where the page isn't published, reach it through kubectl:"),
    command(`${kubectl}port-forward service/${release || "clusterswitch"} 8080:http`),
    h("details", null, h("summary", null, "There is no such service account yet"),
      command(kubectl + "create serviceaccount clusterswitch-viewer"),
      !release && command(kubectl + "create role clusterswitch-viewer --verb get,list,watch --resource trafficswitches.clusterswitch.io"),
      command(`${kubectl}create rolebinding clusterswitch-viewer --role ${release || "clusterswitch"}-viewer --serviceaccount ${namespace}:clusterswitch-viewer`)));
}
