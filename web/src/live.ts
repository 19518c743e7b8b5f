// What others do to the record that is shown: its panels are asked for anew when the live stream tells of it.
// A panel says so by `hx-trigger="load, fw:changed"` and names the record in its address (`?subject=` a uid).
// One stream a page, closed while the tab is hidden.

const UID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const CALM = 400; // milliseconds: what was written together is shown together

function panels(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[hx-trigger*="fw:changed"]')];
}

/** Somebody is typing in it, or has typed: what they wrote is not taken away. */
export function inUse(panel: HTMLElement): boolean {
  const texts = [...panel.querySelectorAll<HTMLTextAreaElement | HTMLInputElement>("textarea, input:not([type=hidden])")];
  return texts.some((text) => text === document.activeElement || text.value !== text.defaultValue) || panel.querySelector("dialog[open], details[open]") !== null;
}

export function subjectOf(address: string): string {
  const query = address.split("?")[1] ?? "";
  const found = new URLSearchParams(query).get("subject") ?? "";
  return UID.test(found) ? found : "";
}

export function live(): void {
  const subject = panels().map((panel) => subjectOf(panel.getAttribute("hx-get") ?? "")).find(Boolean);
  if (!subject || typeof EventSource === "undefined") return;
  let source: EventSource | undefined;
  let last = "";
  let timer = 0;

  const changed = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      for (const panel of panels()) if (!inUse(panel)) panel.dispatchEvent(new Event("fw:changed"));
    }, CALM);
  };
  const open = (): void => {
    const after = last ? `&after=${last}` : "";
    source = new EventSource(`/api/v1/events/stream?subject=${subject}${after}`);
    source.onmessage = (event) => {
      last = event.lastEventId;
      changed();
    };
  };
  const close = (): void => {
    source?.close();
    source = undefined;
  };
  const look = (): void => {
    if (document.hidden) close();
    else if (!source) open();
  };
  document.addEventListener("visibilitychange", () => {
    look();
    if (!document.hidden) changed(); // what was missed meanwhile
  });
  window.addEventListener("pagehide", close);
  // After the page has all it needs, so that it never waits for a connection.
  window.addEventListener("load", () => window.setTimeout(look, 0), { once: true });
}
