// The palette (Ctrl+K): pages, actions, the steps of the record shown, recent records, and search as one types.
// A dialog with the WAI-ARIA combobox and its list; loaded on first use.
import "../styles/palette.css";
import { LitElement, html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { fuzzy, pieces } from "../palette/fuzzy";
import { recent } from "../palette/recent";

interface Entry {
  label: string;
  group: string;
  note?: string;
  key?: string;
  hotkey?: string;
  href?: string;
  run?: () => void;
  marked?: [string, boolean][];
}

interface Told {
  pages: { label: string; href: string; note?: string; hotkey?: string }[];
  actions: { label: string; href?: string; act?: string; hotkey?: string }[];
  words: Record<string, string>;
}

interface Suggested {
  items: { key: string; name: [string, boolean][]; kind: string; state: string; href: string }[];
}

const WAIT = 90;
const SHOWN = 6;

class Palette extends LitElement {
  @state() private typed = "";
  @state() private here = 0;
  @state() private found: Entry[] = [];
  @state() private away = false;
  private told: Told = { pages: [], actions: [], words: {} };
  private origin: Element | null = null;
  private timer = 0;
  private asking: AbortController | null = null;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  private get dialog(): HTMLDialogElement | null {
    return this.querySelector("dialog");
  }

  async show(): Promise<void> {
    if (this.dialog?.open) {
      this.dialog.close();
      return;
    }
    this.origin = document.activeElement;
    this.typed = "";
    this.here = 0;
    this.found = [];
    await this.updateComplete;
    this.dialog?.showModal();
    const input = this.querySelector("input");
    if (input) {
      input.value = "";
      input.focus();
    }
    if (this.told.pages.length) return;
    try {
      const answer = await fetch("/palette", { headers: { Accept: "application/json" } });
      if (answer.ok) this.told = (await answer.json()) as Told;
      this.away = !answer.ok;
    } catch {
      this.away = true;
    }
    this.requestUpdate();
  }

  private word(name: string, usual: string): string {
    return this.told.words[name] ?? usual;
  }

  private steps(): Entry[] {
    const group = this.word("here", "On this page");
    const buttons = document.querySelectorAll<HTMLElement>("main .fw-actions a[href], main .fw-actions button:not([data-copy])");
    return [...buttons]
      .map((button) => ({ label: (button.textContent ?? "").replace(/\s+/g, " ").trim(), group, run: () => button.click() }))
      .filter((entry) => entry.label);
  }

  private act(name: string): void {
    if (name === "theme") document.querySelector<HTMLElement>("[data-theme-toggle]")?.click();
    else if (name === "keys") document.querySelector<HTMLElement>("[data-dialog=keys]")?.click();
    else if (name === "sign-out") document.querySelector<HTMLFormElement>("form[action$='/sign-out']")?.requestSubmit();
    else document.querySelector<HTMLInputElement>("[data-hotkey='/']")?.focus();
  }

  private known(): Entry[] {
    const place = (name: string, usual: string): string => this.word(name, usual);
    return [
      ...this.steps(),
      ...recent().map((one) => ({ label: one.name || one.key, key: one.key, group: place("recent", "Recent"), href: one.href })),
      ...this.told.actions.map((one) => ({ ...one, group: place("actions", "Actions"), run: one.act ? () => this.act(one.act ?? "") : undefined })),
      ...this.told.pages.map((one) => ({ ...one, group: place("pages", "Go to") })),
    ];
  }

  private get entries(): Entry[] {
    const typed = this.typed.trim();
    if (!typed) return this.known();
    const scored = this.known()
      .map((entry) => ({ entry, hit: fuzzy(typed, entry.label) ?? (entry.key ? fuzzy(typed, entry.key) && { score: 1, at: [] } : null) }))
      .filter((one) => one.hit && one.hit.score > 2 * typed.length)
      .sort((a, b) => (b.hit?.score ?? 0) - (a.hit?.score ?? 0))
      .slice(0, SHOWN)
      .map(({ entry, hit }) => ({ ...entry, marked: pieces(entry.label, hit?.at ?? []) }));
    const all = { label: this.word("all", "Search everything"), note: typed, group: this.word("records", "Records"), href: `/search?q=${encodeURIComponent(typed)}` };
    const seen = new Set(scored.map((entry) => entry.href).filter(Boolean));
    return [...scored, ...this.found.filter((entry) => !seen.has(entry.href)), all];
  }

  private ask(): void {
    clearTimeout(this.timer);
    this.asking?.abort();
    const typed = this.typed.trim();
    if (!typed) {
      this.found = [];
      return;
    }
    this.timer = window.setTimeout(async () => {
      const asking = (this.asking = new AbortController());
      try {
        const answer = await fetch(`/search/suggest?q=${encodeURIComponent(typed)}`, { signal: asking.signal, headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const { items } = (await answer.json()) as Suggested;
        const group = this.word("records", "Records");
        this.found = items.map((item) => ({ label: item.name.map(([text]) => text).join(""), marked: item.name, key: item.key, note: [item.kind, item.state].filter(Boolean).join(" · "), group, href: item.href }));
        this.away = false;
      } catch (error) {
        if (error instanceof DOMException && error.name === "AbortError") return;
        this.away = true;
      }
    }, WAIT);
  }

  private take(entry: Entry | undefined, event: MouseEvent | KeyboardEvent): void {
    if (!entry) return;
    const elsewhere = event.ctrlKey || event.metaKey;
    if (entry.href && elsewhere) {
      window.open(entry.href, "_blank", "noopener");
      return;
    }
    this.dialog?.close();
    if (entry.run) entry.run();
    else if (entry.href) location.assign(entry.href);
  }

  private keyed = (event: KeyboardEvent): void => {
    const all = this.entries;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.here = (this.here + step + all.length) % Math.max(1, all.length);
    else if (event.key === "Home" && !this.typed) this.here = 0;
    else if (event.key === "End" && !this.typed) this.here = all.length - 1;
    else if (event.key === "Enter" && !event.isComposing) this.take(all[this.here], event);
    else return;
    event.preventDefault();
  };

  protected override updated(): void {
    this.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  private row(entry: Entry, number: number): TemplateResult {
    const marked = entry.marked ?? [[entry.label, false]];
    return html`<li id="palette-${number}" role="option" class="fw-palette-row" aria-selected=${number === this.here ? "true" : "false"} @mousemove=${() => (this.here = number)} @click=${(event: MouseEvent) => this.take(entry, event)}>
      ${entry.key ? html`<span class="fw-key">${entry.key}</span>` : nothing}<span class="fw-palette-label">${marked.map(([text, hit]) => (hit ? html`<mark>${text}</mark>` : text))}</span>
      ${entry.note ? html`<span class="fw-note">${entry.note}</span>` : nothing}${entry.hotkey ? html`<kbd aria-hidden="true">${entry.hotkey}</kbd>` : nothing}
    </li>`;
  }

  protected override render(): TemplateResult {
    const all = this.entries;
    if (this.here >= all.length) this.here = Math.max(0, all.length - 1);
    const groups: [string, [Entry, number][]][] = [];
    all.forEach((entry, number) => {
      const last = groups[groups.length - 1];
      if (last && last[0] === entry.group) last[1].push([entry, number]);
      else groups.push([entry.group, [[entry, number]]]);
    });
    const label = this.word("label", "Palette");
    return html`<dialog class="fw-palette" aria-label=${label} @close=${() => (this.origin as HTMLElement | null)?.focus?.()} @click=${(event: Event) => event.target === this.dialog && this.dialog?.close()}>
      <div class="fw-palette-box">
        <input type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" aria-activedescendant=${all.length ? `palette-${this.here}` : ""} aria-label=${this.word("placeholder", "Type a page, an action or a record")} placeholder=${this.word("placeholder", "Type a page, an action or a record")} autocomplete="off" spellcheck="false"
          @input=${(event: InputEvent) => {
            this.typed = (event.target as HTMLInputElement).value;
            this.here = 0;
            this.ask();
          }} @keydown=${this.keyed} />
        <ul id="palette-list" role="listbox" aria-label=${label}>
          ${groups.map(([name, entries]) => html`<li role="presentation" class="fw-palette-group">${name}</li>${entries.map(([entry, number]) => this.row(entry, number))}`)}
        </ul>
        ${this.away ? html`<p class="fw-palette-foot" role="status">${this.word("away", "The server did not answer; pages and actions work.")}</p>` : nothing}
        <p class="fw-palette-foot" aria-hidden="true"><kbd>↑</kbd> <kbd>↓</kbd> <kbd>Enter</kbd> <kbd>Esc</kbd></p>
      </div>
    </dialog>`;
  }
}

customElements.define("fw-palette", Palette);

export async function open(): Promise<void> {
  let palette = document.querySelector<Palette>("fw-palette");
  if (!palette) {
    palette = document.createElement("fw-palette") as Palette;
    document.body.append(palette);
  }
  await palette.show();
}
