// Rows of start and end: adds and removes them, shows how long each is, keeps the length when the start moves.

const MINUTE = 60_000;

function read(input: HTMLInputElement): number {
  return input.value ? Date.parse(`${input.value}Z`) : NaN;
}

function write(input: HTMLInputElement, wall: number): void {
  input.value = new Date(wall).toISOString().slice(0, 16);
}

export function spoken(milliseconds: number): string {
  const minutes = Math.round(milliseconds / MINUTE);
  const parts = [[Math.floor(minutes / 1440), "d"], [Math.floor((minutes % 1440) / 60), "h"], [minutes % 60, "min"]] as const;
  return parts.filter(([number]) => number > 0).slice(0, 2).map(([number, unit]) => `${number} ${unit}`).join(" ");
}

class Windows extends HTMLElement {
  private spans = new WeakMap<Element, number>();

  connectedCallback(): void {
    this.addEventListener("click", this.clicked);
    this.addEventListener("change", this.changed);
    this.refresh();
  }

  private pair(row: Element): [HTMLInputElement, HTMLInputElement] {
    return [...row.querySelectorAll<HTMLInputElement>("input")].slice(0, 2) as [HTMLInputElement, HTMLInputElement];
  }

  private get rows(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("[data-window]")];
  }

  private clicked = (event: Event): void => {
    const target = event.target as Element;
    const last = this.rows.at(-1);
    if (target.closest("[data-add]") && last) {
      const row = last.cloneNode(true) as HTMLElement;
      const [start, end] = this.pair(row);
      for (const input of [start, end]) input.id = input.id.replace(/\d+$/, String(this.rows.length));
      if (start.value) for (const input of [start, end]) write(input, read(input) + 1440 * MINUTE);
      last.after(row);
      this.refresh();
      start.focus();
      this.dispatchEvent(new Event("change", { bubbles: true }));
    }
    if (target.closest("[data-remove]") && this.rows.length > 1) {
      target.closest("[data-window]")?.remove();
      this.refresh();
      this.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };

  private changed = (event: Event): void => {
    const row = (event.target as Element).closest("[data-window]");
    if (row) {
      const [start, end] = this.pair(row);
      const kept = this.spans.get(row);
      if (event.target === start && kept !== undefined && start.value) write(end, read(start) + kept);
      else if (event.target === start && start.value && !end.value) write(end, read(start) + 60 * MINUTE);
    }
    this.refresh();
  };

  private refresh(): void {
    const all = this.rows;
    const single = this.hasAttribute("single");
    for (const row of all) {
      const [start, end] = this.pair(row);
      const span = read(end) - read(start);
      if (span > 0) this.spans.set(row, span);
      let said = row.querySelector<HTMLElement>(".fw-window-length");
      if (!said) {
        said = document.createElement("span");
        said.className = "fw-window-length";
        row.insertBefore(said, row.querySelector("[data-remove]"));
      }
      said.textContent = span > 0 ? spoken(span) : "";
      row.querySelector<HTMLElement>("[data-remove]")?.toggleAttribute("hidden", all.length < 2);
    }
    this.querySelector("[data-add]")?.toggleAttribute("hidden", single);
  }
}

customElements.define("fw-windows", Windows);
