// “@” in a text names somebody: a list of people below the text, chosen with arrows and Enter, the WAI-ARIA way.
// And Ctrl+Enter sends the form of a text that says so.

interface Person {
  key: string;
  name: string;
  note?: string;
}

const WORD = /(?:^|[\s(>])@([\p{L}\p{N}.'-]*(?: [\p{L}\p{N}.'-]+){0,2})$/u;
let count = 0;

class List {
  private list = document.createElement("ul");
  private found: Person[] = [];
  private here = 0;
  private timer = 0;
  private asked = 0;

  constructor(private area: HTMLTextAreaElement) {
    this.list.className = "fw-pick-list";
    this.list.id = `mention-${(count += 1)}`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "@");
    this.list.hidden = true;
    area.after(this.list);
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", this.list.id);
    area.addEventListener("input", () => this.typed());
    area.addEventListener("keydown", (event) => this.pressed(event));
    area.addEventListener("blur", () => this.shut());
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const at = [...this.list.children].indexOf((event.target as Element).closest("li") as Element);
      if (this.found[at]) this.take(this.found[at]);
    });
  }

  typed(): void {
    const word = WORD.exec(this.area.value.slice(0, this.area.selectionStart))?.[1];
    clearTimeout(this.timer);
    if (word === undefined) return this.shut();
    this.timer = window.setTimeout(() => void this.ask(word), 120);
  }

  private async ask(word: string): Promise<void> {
    const mine = (this.asked += 1);
    const url = new URL(this.area.dataset.mentions ?? "", location.href);
    url.searchParams.set("q", word);
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok || mine !== this.asked) return;
      this.found = ((await answer.json()) as { items: Person[] }).items;
    } catch {
      return; // without the list a key can still be typed
    }
    this.here = 0;
    if (this.found.length) this.show();
    else this.shut();
  }

  private show(): void {
    this.list.replaceChildren(
      ...this.found.map((person, at) => {
        const row = document.createElement("li");
        row.id = `${this.list.id}-${at}`;
        row.setAttribute("role", "option");
        row.setAttribute("aria-selected", String(at === this.here));
        const name = document.createElement("span");
        name.textContent = person.name;
        const note = document.createElement("small");
        note.textContent = person.note ?? person.key;
        row.append(name, note);
        return row;
      }),
    );
    this.list.hidden = false;
    this.area.setAttribute("aria-activedescendant", `${this.list.id}-${this.here}`);
    this.list.children[this.here]?.scrollIntoView({ block: "nearest" });
  }

  private shut(): void {
    this.asked += 1;
    this.list.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
  }

  private take(person: Person): void {
    const end = this.area.selectionStart;
    const before = this.area.value.slice(0, end);
    const word = WORD.exec(before)?.[1] ?? "";
    const start = end - word.length - 1;
    this.area.setRangeText(`@[${person.name.replace(/[[\]\\]/g, "")}](${person.key}) `, start, end, "end");
    this.shut();
  }

  private pressed(event: KeyboardEvent): void {
    if (this.list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.here = (this.here + (event.key === "ArrowDown" ? 1 : -1) + this.found.length) % this.found.length;
      this.show();
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey) {
      const person = this.found[this.here];
      if (person) this.take(person);
    } else if (event.key === "Escape") this.shut();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export function mentions(): void {
  const known = new WeakSet<HTMLTextAreaElement>();
  // what htmx swaps in is met when it is first used
  document.addEventListener("focusin", (event) => {
    const area = event.target;
    if (!(area instanceof HTMLTextAreaElement) || !area.dataset.mentions || known.has(area)) return;
    known.add(area);
    new List(area);
  });
  document.addEventListener("keydown", (event) => {
    const area = event.target;
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !(area instanceof HTMLTextAreaElement) || area.dataset.send === undefined) return;
    event.preventDefault();
    area.form?.requestSubmit();
  });
}
