// Lists in which one edits: boxes with ranges, the bar for many, cells in place. The server makes all of it.
import { typing } from "./shell";

interface Htmx {
  ajax(verb: string, path: string, context: { target: Element; swap: string }): Promise<void>;
}

let last: HTMLInputElement | null = null;

const bar = (): HTMLFormElement | null => document.querySelector("form[data-bulk]");
const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>("table[data-pick] tbody input[name=key]")];

function picked(): void {
  const form = bar();
  if (!form) return;
  const all = form.querySelector<HTMLInputElement>("input[name=all]");
  const every = all?.value ? Number(form.querySelector<HTMLElement>("[data-bulk-all]")?.dataset.total ?? 0) : 0;
  const count = every || boxes().filter((box) => box.checked).length;
  form.hidden = count === 0;
  document.body.classList.toggle("has-bulk", count > 0);
  const told = form.querySelector("[data-bulk-count]");
  if (told) told.textContent = count.toLocaleString();
  const page = document.querySelector<HTMLInputElement>("[data-pick-page]");
  const some = boxes();
  if (page) {
    const on = some.filter((box) => box.checked).length;
    page.checked = on > 0 && on === some.length;
    page.indeterminate = on > 0 && on < some.length;
  }
}

function set(box: HTMLInputElement, on: boolean): void {
  box.checked = on;
  box.closest("tr")?.classList.toggle("is-picked", on);
}

function clear(): void {
  for (const box of boxes()) set(box, false);
  every("");
  picked();
}

function every(value: string): void {
  const all = bar()?.querySelector<HTMLInputElement>("input[name=all]");
  if (all) all.value = value;
}

function clicked(event: MouseEvent): void {
  const target = event.target as Element;
  const cell = target.closest("td.fw-pick-cell");
  if (cell && !target.closest("input")) cell.querySelector<HTMLInputElement>("input")?.click();
  const box = target.closest<HTMLInputElement>("table[data-pick] input[name=key]");
  if (box) {
    const all = boxes();
    if (event.shiftKey && last && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b) as [number, number];
      for (const one of all.slice(from, to + 1)) set(one, box.checked);
      getSelection()?.removeAllRanges();
    }
    last = box;
    every("");
    picked();
  }
  if (target.closest("[data-pick-page]")) {
    const on = (target as HTMLInputElement).checked;
    for (const one of boxes()) set(one, on);
    every("");
    picked();
  }
  if (target.closest("[data-bulk-clear]")) clear();
  if (target.closest("[data-bulk-all]")) {
    for (const one of boxes()) set(one, true);
    every("1");
    picked();
  }
  const order = target.closest<HTMLElement>("[data-up], [data-down]");
  const item = order?.closest("li");
  if (order && item) {
    if (order.matches("[data-up]")) item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    order.focus();
  }
}

async function preview(form: HTMLFormElement): Promise<void> {
  const dialog = document.querySelector<HTMLDialogElement>("dialog#bulk-preview");
  if (!dialog) return;
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } });
  if (answer.redirected || answer.headers.has("HX-Redirect")) {
    location.reload();
    return;
  }
  dialog.innerHTML = await answer.text();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector<HTMLElement>(".btn-primary, [data-close]")?.focus();
}

function edit(cell: HTMLElement): void {
  const row = cell.closest<HTMLElement>("tr[data-key]");
  const path = cell.closest<HTMLElement>("table[data-path]")?.dataset.path;
  const htmx = (window as unknown as { htmx?: Htmx }).htmx;
  if (!row || !path || !htmx || cell.querySelector("form")) return;
  void htmx.ajax("GET", `${path}/${encodeURIComponent(row.dataset.key ?? "")}/cell?field=${cell.dataset.edit ?? ""}`, { target: cell, swap: "outerHTML" });
}

function leave(form: HTMLFormElement): void {
  const row = form.closest<HTMLElement>("tr");
  const cell = form.closest<HTMLElement>("td");
  const htmx = (window as unknown as { htmx?: Htmx }).htmx;
  const path = form.getAttribute("hx-post");
  if (!cell || !htmx || !path) return;
  void htmx.ajax("GET", `${path}?field=${cell.dataset.edit ?? ""}&plain=1`, { target: cell, swap: "outerHTML" });
  row?.focus({ preventScroll: true });
}

export function grid(): void {
  document.addEventListener("click", clicked);
  document.addEventListener("change", (event) => {
    const field = event.target as HTMLSelectElement;
    if (field.matches("[data-bulk-field]")) {
      for (const value of field.form?.querySelectorAll<HTMLElement>("[data-bulk-value]") ?? []) value.hidden = value.dataset.bulkValue !== field.value;
    }
    // a choice in a cell is saved as it is made
    if (field.matches("form[data-cell] select")) field.form?.requestSubmit();
  });
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target as HTMLFormElement;
      if (!form.matches("form[data-bulk]") || (event.submitter as HTMLButtonElement | null)?.name === "apply") return;
      event.preventDefault();
      void preview(form);
    },
    true,
  );
  document.addEventListener("dblclick", (event) => {
    const cell = (event.target as Element).closest<HTMLElement>("td[data-edit]");
    if (cell && !(event.target as Element).closest("a, input, select, button")) edit(cell);
  });
  document.addEventListener("keydown", (event) => {
    const form = (event.target as Element).closest?.<HTMLFormElement>("form[data-cell]");
    if (form) {
      if (event.key === "Escape") leave(form);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && bar() && !bar()?.hidden) clear();
    const row = document.querySelector<HTMLElement>("tr.is-here");
    if (event.key === "e" && row) {
      const cell = row.querySelector<HTMLElement>("td[data-edit]");
      if (cell) {
        event.preventDefault();
        edit(cell);
      }
    }
    if (event.key === "X" && row) {
      const box = row.querySelector<HTMLInputElement>("input[name=key]");
      box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: true }));
    }
  });
  // what htmx put into a cell: the version of its row, and the caret in its field
  document.addEventListener("htmx:after:swap", () => {
    for (const cell of document.querySelectorAll<HTMLElement>("td[data-saved]")) {
      const row = cell.closest<HTMLElement>("tr");
      if (row) row.dataset.version = cell.dataset.saved ?? "";
      delete cell.dataset.saved;
    }
    const field = document.querySelector<HTMLInputElement>("form[data-cell] [data-focus]");
    if (field && document.activeElement !== field) {
      field.focus();
      if (field instanceof HTMLInputElement) field.select();
    }
    picked();
  });
  addEventListener("pageshow", picked);
}
