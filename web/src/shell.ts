// Behaviours of the shell. All listen on the document, so that what htmx swaps in needs no set-up.

import { remember } from "./palette/recent";

const TOAST_STAYS = 8000;

export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || (target.matches("input, textarea, select") && !target.matches("[type=checkbox], [type=radio]")));
}

function theme(): void {
  const order = ["system", "light", "dark"] as const;
  const root = document.documentElement;
  const apply = (name: string): void => {
    if (name === "system") delete root.dataset.theme;
    else root.dataset.theme = name;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${name}; path=/; max-age=31536000; samesite=lax${secure}`;
    try {
      localStorage.setItem("theme", name);
    } catch {
      // a browser that keeps nothing still has the cookie for this visit
    }
  };
  let stored: string | null = null;
  try {
    stored = localStorage.getItem("theme");
  } catch {
    stored = null;
  }
  if (stored && !document.cookie.includes("theme=") && order.some((name) => name === stored)) apply(stored);
  document.addEventListener("click", (event) => {
    if (!(event.target as Element).closest("[data-theme-toggle]")) return;
    const present = root.dataset.theme ?? "system";
    apply(order[(order.findIndex((name) => name === present) + 1) % order.length] ?? "system");
  });
}

/** Show which tab one is on where they do not all fit, as on a phone. */
function tabs(): void {
  for (const bar of document.querySelectorAll<HTMLElement>(".fw-tabs")) {
    const here = bar.querySelector<HTMLElement>("[aria-current]");
    if (here && bar.scrollWidth > bar.clientWidth) bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
  }
}

function keys(): void {
  let waiting = 0;
  const places: Record<string, string> = { m: "work", t: "calendar", c: "changes", e: "environments", i: "catalogue", a: "administration" };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (waiting && Date.now() - waiting < 1200) {
      waiting = 0;
      const link = document.querySelector<HTMLAnchorElement>(`[data-place="${places[event.key] ?? ""}"]`);
      if (link) {
        event.preventDefault();
        link.click();
        return;
      }
    }
    if (event.key === "g") {
      waiting = Date.now();
      return;
    }
    if (event.key === "?") {
      event.preventDefault();
      open("keys");
      return;
    }
    if (event.key.length !== 1 || event.key === '"' || event.key === "\\") return;
    const target = document.querySelector<HTMLElement>(`[data-hotkey="${event.key}"]`);
    if (!target) return;
    event.preventDefault();
    if (target instanceof HTMLInputElement) {
      target.focus();
      target.select();
    } else if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.querySelector<HTMLElement>("a, button")?.focus();
    } else target.click();
  });
}

function palette(): void {
  const show = (): void => void import("./islands/palette").then((island) => island.open());
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || !document.querySelector(".fw-app")) return;
    event.preventDefault();
    show();
  });
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-palette]")) show();
  });
}

function open(name: string): void {
  const dialog = document.getElementById(name);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

function menus(): void {
  const shut = (except: Node | null): void => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.fw-menu[open]")) if (!except || !menu.contains(except)) menu.open = false;
  };
  document.addEventListener("click", (event) => shut(event.target as Node));
  document.addEventListener("focusin", (event) => shut(event.target as Node));
  document.addEventListener("keydown", (event) => {
    const menu = (event.target as Element).closest?.("details.fw-menu[open]") as HTMLDetailsElement | null;
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const all = [...menu.querySelectorAll<HTMLElement>("summary, a, button")].filter((item) => item.offsetParent);
      const at = all.indexOf(document.activeElement as HTMLElement);
      all[(at + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]?.focus();
      event.preventDefault();
    }
  });
}

function clicks(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>("[data-dialog]");
    if (opener) {
      for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.fw-menu[open]")) menu.open = false;
      open(opener.dataset.dialog ?? "");
    }
    if (target.closest("[data-close]") || target instanceof HTMLDialogElement) target.closest("dialog")?.close();
    target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove();
    const copier = target.closest<HTMLElement>("[data-copy], [data-copy-from]");
    if (copier) void copy(copier);
  });
}

async function copy(button: HTMLElement): Promise<void> {
  const from = button.dataset.copyFrom;
  const text = button.dataset.copy ?? (from ? button.parentElement?.querySelector(from)?.textContent : "") ?? "";
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else {
    // plain http on another machine: no clipboard API there
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.classList.add("is-done");
  setTimeout(() => button.classList.remove("is-done"), 1200);
}

function fade(toast: Element): void {
  const leave = (): void => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, 2000);
    else toast.remove();
  };
  // one with a way back, or with bad news, stays until it is dismissed
  if (!toast.querySelector("form:not([hidden])") && !toast.matches(".is-bad")) setTimeout(leave, TOAST_STAYS);
}

export function toast(text: string, { undo = "", tone = "ok" }: { undo?: string; tone?: string } = {}): void {
  const place = document.querySelector("[data-toasts]");
  const model = document.querySelector<HTMLTemplateElement>("[data-toast-template]");
  const made = (model?.content.firstElementChild?.cloneNode(true) ?? null) as HTMLElement | null;
  if (!place || !made) return;
  made.classList.add(`is-${tone}`);
  const said = made.querySelector("span");
  if (said) said.textContent = text;
  const form = made.querySelector("form");
  if (form && undo.startsWith("/")) {
    form.action = undo;
    form.hidden = false;
  }
  place.append(made);
  fade(made);
}

export function shell(): void {
  theme();
  keys();
  palette();
  menus();
  tabs();
  clicks();
  remember();
  document.querySelectorAll("[data-toast]").forEach(fade);
  // of a row of tabs that is wider than the screen, the present one is seen
  for (const row of document.querySelectorAll<HTMLElement>(".fw-tabs, .fw-segments")) {
    const present = row.scrollWidth > row.clientWidth && row.querySelector<HTMLElement>("[aria-current]");
    if (present) row.scrollLeft += present.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - present.offsetWidth) / 2;
  }
  document.querySelector<HTMLElement>("[data-focus]")?.focus();
  document.addEventListener("toast", (event) => {
    const detail = (event as CustomEvent<{ text?: string; undo?: string; tone?: string }>).detail;
    if (detail?.text) toast(detail.text, detail);
  });
  // a form that is sent twice by a nervous hand is sent once
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.method !== "post" || form.matches("[hx-post]") || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  addEventListener("pageshow", () => document.querySelectorAll<HTMLFormElement>("form[data-sent]").forEach((form) => delete form.dataset.sent));
}
