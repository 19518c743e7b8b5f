// Keys picked by typing: the WAI-ARIA combobox with a list, around the plain input that the server wrote.
import { LitElement, html, nothing, svg } from "lit";
import { property, state } from "lit/decorators.js";

interface Item {
  key: string;
  name: string;
  note?: string;
}

const CROSS = svg`<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>`;
let count = 0;

export class Picker extends LitElement {
  @property() src = "";
  @property({ type: Boolean }) multiple = false;
  @property({ type: Object }) names: Record<string, string> = {};

  @state() private keys: string[] = [];
  @state() private found: Item[] = [];
  @state() private here = -1;
  @state() private open = false;
  @state() private failed = false;

  private input: HTMLInputElement | null = null;
  private field = "";
  private attrs = { id: "", describedby: "", invalid: "" };
  private timer = 0;
  private asked = 0;
  private list = `pick-${(count += 1)}`;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    const plain = this.querySelector<HTMLInputElement>("input[name]");
    if (plain && !this.field) {
      this.field = plain.name;
      this.attrs = { id: plain.id, describedby: plain.getAttribute("aria-describedby") ?? "", invalid: plain.getAttribute("aria-invalid") ?? "" };
      this.keys = [...new Set(plain.value.split(/[,;\n]/).map((key) => key.trim()).filter(Boolean))];
      this.replaceChildren();
    }
    super.connectedCallback();
    this.addEventListener("focusout", this.left);
    void this.recall();
  }

  /** Learn what the keys are called that came back without a name, as after a form was refused. */
  private async recall(): Promise<void> {
    for (const key of this.keys.filter((one) => !this.names[one]).slice(0, 20)) {
      const url = new URL(this.src, location.href);
      url.searchParams.set("q", key);
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        const body = (await answer.json()) as { items: Item[] };
        const found = body.items.find((item) => item.key === key);
        if (found) this.names = { ...this.names, [key]: found.name };
      } catch {
        return; // the key alone says it too
      }
    }
  }

  private left = (event: FocusEvent): void => {
    if (this.contains(event.relatedTarget as Node | null)) return;
    // a key typed in full and left is meant
    const text = this.input?.value.trim() ?? "";
    const exact = this.found.find((item) => item.key === text);
    if (exact) this.add(exact);
    else if (text && this.failed) this.add({ key: text, name: "" });
    this.open = false;
  };

  private ask(delay: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(async () => {
      const mine = (this.asked += 1);
      try {
        const url = new URL(this.src, location.href);
        url.searchParams.set("q", this.input?.value.trim() ?? "");
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const body = (await answer.json()) as { items: Item[] };
        if (mine !== this.asked) return;
        this.failed = false;
        this.found = body.items.filter((item) => !this.keys.includes(item.key));
      } catch {
        if (mine !== this.asked) return;
        this.failed = true;
        this.found = [];
      }
      this.here = this.found.length && this.input?.value.trim() ? 0 : -1;
      this.open = this.contains(document.activeElement);
    }, delay);
  }

  private add(item: Item): void {
    this.names = { ...this.names, [item.key]: item.name };
    this.keys = this.multiple ? [...this.keys.filter((key) => key !== item.key), item.key] : [item.key];
    if (this.input) this.input.value = "";
    this.found = [];
    this.open = false;
    this.tell();
  }

  private drop(key: string): void {
    this.keys = this.keys.filter((one) => one !== key);
    this.input?.focus();
    this.tell();
  }

  private tell(): void {
    void this.updateComplete.then(() => this.dispatchEvent(new Event("change", { bubbles: true })));
  }

  private pressed(event: KeyboardEvent): void {
    const text = this.input?.value ?? "";
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!this.open) return this.ask(0);
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.here = (this.here + step + this.found.length) % Math.max(1, this.found.length);
      void this.updateComplete.then(() => this.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Enter" && this.open) {
      event.preventDefault();
      const item = this.found[this.here];
      if (item) this.add(item);
    } else if (event.key === "Escape" && this.open) {
      event.preventDefault();
      event.stopPropagation();
      this.open = false;
    } else if (event.key === "Backspace" && !text && this.keys.length) {
      this.drop(this.keys.at(-1) ?? "");
    }
  }

  private typed(event: Event): void {
    // what is being typed is no change of the field yet
    event.stopPropagation();
    this.ask(120);
  }

  protected override render(): unknown {
    const option = this.open && this.here >= 0 ? `${this.list}-${this.here}` : undefined;
    return html`<div class="fw-pick ${this.attrs.invalid ? "is-invalid" : ""}" @click=${() => this.input?.focus()}>
        ${this.keys.map(
          (key) => html`<span class="fw-pick-chip"><span class="fw-key">${key}</span>${this.names[key] && this.names[key] !== key ? html`<span>${this.names[key]}</span>` : nothing}<button type="button" aria-label="${this.getAttribute("remove-word") ?? "Remove"} ${key}" @click=${() => this.drop(key)}><svg class="fw-icon" viewBox="0 0 24 24" aria-hidden="true">${CROSS}</svg></button><input type="hidden" name=${this.field} .value=${key}></span>`,
        )}
        <input type="text" role="combobox" autocomplete="off" spellcheck="false" id=${this.attrs.id} aria-expanded=${this.open} aria-controls=${this.list} aria-autocomplete="list" aria-activedescendant=${option ?? nothing} aria-describedby=${this.attrs.describedby || nothing} aria-invalid=${this.attrs.invalid || nothing}
          @input=${this.typed} @change=${(event: Event) => event.stopPropagation()} @keydown=${this.pressed} @focus=${() => this.ask(0)} @click=${() => this.open || this.ask(0)}>
      </div>
      <ul class="fw-pick-list" role="listbox" id=${this.list} aria-label=${this.field} ?hidden=${!this.open}>
        ${this.found.map((item, at) => html`<li role="option" id="${this.list}-${at}" aria-selected=${at === this.here} @pointerdown=${(event: Event) => event.preventDefault()} @click=${() => this.add(item)}><span class="fw-key">${item.key}</span><span>${item.name}</span>${item.note ? html`<small>${item.note}</small>` : nothing}</li>`)}
        ${this.found.length ? nothing : html`<li class="is-none" role="option" aria-disabled="true" aria-selected="false">${this.failed ? (this.getAttribute("failed-word") ?? "No answer; type the key in full.") : (this.getAttribute("none-word") ?? "Nothing found.")}</li>`}
      </ul>`;
  }

  protected override updated(): void {
    this.input ??= this.querySelector("input[role=combobox]");
  }
}

customElements.define("fw-picker", Picker);
