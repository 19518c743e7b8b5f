// Tables of records: j and k move, Enter opens, x picks; a click anywhere on a row opens it.
import { typing } from "./shell";

export function rows(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const row = target.closest<HTMLElement>("tr[data-href]");
    if (!row || target.closest("a, button, input, label, summary, select") || String(getSelection()) || target.closest("td[data-edit], td.fw-pick-cell")) return;
    const href = row.dataset.href ?? "";
    if (event.ctrlKey || event.metaKey) window.open(href, "_blank", "noopener");
    else location.assign(href);
  });
  document.addEventListener("change", (event) => {
    const box = event.target as HTMLInputElement;
    if (box.type === "checkbox") box.closest("table[data-pick] tbody tr")?.classList.toggle("is-picked", box.checked);
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1, event);
    const row = document.querySelector<HTMLElement>("tr.is-here");
    if (!row) return;
    if (event.key === "Enter" && (event.target === document.body || event.target === row) && row.dataset.href) location.assign(row.dataset.href);
    if (event.key === "x") row.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
    if (event.key === "Escape") row.classList.remove("is-here");
  });
}

function move(step: number, event: Event): void {
  const table = document.querySelector("table[data-rows]:has(tr.is-here)") ?? document.querySelector("table[data-rows]");
  if (!table) return;
  const all = [...table.querySelectorAll<HTMLElement>("tbody > tr:not(.fw-more)")];
  const at = all.findIndex((row) => row.classList.contains("is-here"));
  const next = all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + step))];
  if (!next) return;
  event.preventDefault();
  all[at]?.classList.remove("is-here");
  next.classList.add("is-here");
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
