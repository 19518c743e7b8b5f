// What htmx needs from the shell: the CSRF token, the line on top while it waits, and words when the server is away.
import { toast } from "./shell";

interface Asked {
  ctx?: { request?: { method?: string; headers?: Record<string, string> } };
}

export function server(): void {
  let waiting = 0;
  let shown = 0;
  const line = document.querySelector<HTMLElement>("[data-progress]");
  document.addEventListener("htmx:config:request", (event) => {
    const request = (event as CustomEvent<Asked>).detail.ctx?.request;
    const token = document.body.dataset.csrf;
    if (request?.headers && token && !/^(get|head)$/i.test(request.method ?? "get")) request.headers["X-CSRFToken"] = token;
  });
  document.addEventListener("htmx:before:request", () => {
    waiting += 1;
    // an answer within 150 ms needs no line
    shown ||= window.setTimeout(() => line?.removeAttribute("hidden"), 150);
  });
  document.addEventListener("htmx:finally:request", () => {
    waiting = Math.max(0, waiting - 1);
    if (waiting) return;
    clearTimeout(shown);
    shown = 0;
    line?.setAttribute("hidden", "");
  });
  document.addEventListener("htmx:error", () => toast(document.body.dataset.away ?? "The server did not answer. What you typed is still here.", { tone: "bad" }));
}
