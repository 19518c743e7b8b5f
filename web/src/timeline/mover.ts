// Moving bars by hand and by keys: held, told what stands in the way, applied or left.
import { html, nothing, render } from "lit";
import { Picked, asked, snapped, stepOf, stepped, windowOf } from "./move";
import type { Bar } from "./plan";
import type { Zone } from "./zone";

interface Finding {
  severity: "block" | "warn" | "inform" | "unknown";
  message: string;
  start: string | null;
  end: string | null;
}
interface Moved {
  key: string;
  ok: boolean;
  reason: string;
  findings: Finding[];
}
interface Answer {
  moves: Moved[];
  confirm: boolean;
  summary?: string;
  undo?: string;
}

/** What moving needs of the timeline. */
export interface Stage {
  readonly url: string;
  readonly clock: Zone;
  readonly perPixel: number;
  word(name: string, usual: string): string;
  period(start: number, end: number): string;
  /** Draw bars anew: they are elsewhere, or look otherwise. */
  redraw(): void;
  /** Fetch the plan again; the bar that was moved gets the focus under its new time. */
  again(bar: Bar, by: number, focus: boolean): Promise<void>;
  focus(bar: Bar): void;
  /** Bring the time into sight, where a bar is moved by keys. */
  show(start: number, end: number): void;
  /** Where the bar stands on the screen, if it does. */
  place(bar: Bar): DOMRect | undefined;
  readonly panel: HTMLElement;
  readonly speech: HTMLElement;
  /** How many are picked has changed. */
  counted(): void;
}

const ASK_AFTER = 180;

export class Mover {
  readonly picked = new Picked();
  private held: Bar[] = [];
  private ids = new Set<string>();
  private shift = 0;
  private told: Answer | null = null;
  private refusal = "";
  private phase: "rest" | "held" | "dropped" | "sent" = "rest";
  private byKeys = false;
  private timer = 0;
  private asking: AbortController | null = null;

  constructor(private readonly stage: Stage) {}

  get busy(): boolean {
    return this.phase !== "rest";
  }

  may(bar: Bar | undefined): bar is Bar {
    return Boolean(this.stage.url && bar?.movable && this.phase !== "sent");
  }

  /** How far the bar is drawn from where it is planned. */
  by(bar: Bar): number {
    return this.ids.has(windowOf(bar)) ? this.shift : 0;
  }

  holds(bar: Bar): boolean {
    return this.ids.has(windowOf(bar));
  }

  /** What stands in the way where the bar is held; null: it is not held, or not known yet. */
  findings(bar: Bar): Finding[] | null {
    if (!this.holds(bar)) return null;
    return this.told?.moves.find((one) => one.key === bar.key)?.findings ?? [];
  }

  refused(bar: Bar): boolean {
    return this.holds(bar) && Boolean(this.told?.moves.some((one) => one.key === bar.key && !one.ok));
  }

  pick(bar: Bar): void {
    if (this.phase !== "rest" || !this.picked.toggle(bar)) {
      if (!bar.movable) this.say(this.stage.word("fixed", "You cannot move this one."));
      return;
    }
    this.say(`${this.picked.size} ${this.stage.word("picked", "selected")}`);
    this.stage.counted();
    this.stage.redraw();
  }

  unpick(): void {
    this.picked.clear();
    this.stage.counted();
    this.stage.redraw();
  }

  // By hand

  drag(bar: Bar, pixels: number): void {
    if (!this.holds(bar) || this.phase !== "held") this.hold(bar, false);
    this.go(snapped(this.stage.clock, bar.start, pixels * this.stage.perPixel, stepOf(this.stage.perPixel)));
  }

  /** Let go: it is moved at once where that can be undone, else it waits for a word. */
  async drop(): Promise<void> {
    if (this.phase !== "held") return;
    if (!this.shift) return this.leave();
    this.phase = "dropped";
    clearTimeout(this.timer);
    await this.ask();
    if (this.phase !== "dropped") return;
    if (this.told && !this.told.confirm && this.told.moves.every((one) => one.ok)) return this.apply();
    this.show();
    this.stage.panel.querySelector<HTMLElement>("button")?.focus();
  }

  // By keys

  step(bar: Bar, steps: number): void {
    if (!this.holds(bar)) this.hold(bar, true);
    if (this.phase === "dropped") this.phase = "held";
    this.byKeys = true;
    this.go(stepped(this.stage.clock, bar.start, this.shift, steps, stepOf(this.stage.perPixel)));
    this.stage.show(bar.start + this.shift, bar.end + this.shift);
    this.tell();
  }

  leave(): void {
    if (this.phase === "sent") return;
    const [first] = this.held;
    const byKeys = this.byKeys;
    this.rest();
    if (first) this.say(this.stage.word("left", "Left where it was."));
    if (first && byKeys) this.stage.focus(first);
  }

  async apply(): Promise<void> {
    if (this.phase === "rest" || this.phase === "sent") return;
    if (!this.shift) return this.leave();
    const [first] = this.held;
    if (!first) return this.rest();
    clearTimeout(this.timer);
    this.asking?.abort();
    this.phase = "sent";
    this.show();
    const by = this.shift;
    try {
      const answer = await this.post(true, new AbortController().signal);
      const [refused] = answer.moves.filter((one) => !one.ok);
      const text = answer.summary ?? "";
      document.dispatchEvent(new CustomEvent("toast", { detail: { text, undo: answer.undo ?? "", tone: refused ? "bad" : "ok" } }));
      this.say(text);
      const focus = this.byKeys || this.stage.panel.contains(document.activeElement);
      await this.stage.again(first, answer.moves.find((one) => one.key === first.key)?.ok ? by : 0, focus);
      this.picked.clear();
      this.stage.counted();
      this.rest();
    } catch (error) {
      // it goes back to where it was, and says why beside itself
      this.refusal = (error as Error).message || this.stage.word("away", "The server did not answer.");
      this.shift = 0;
      this.phase = "dropped";
      this.say(this.refusal);
      await this.stage.again(first, 0, this.byKeys);
      this.show();
      this.stage.redraw();
    }
  }

  /** Keep the panel at its bar while one pans. */
  follow(): void {
    if (this.phase !== "rest") this.put();
  }

  private hold(bar: Bar, byKeys: boolean): void {
    this.rest();
    this.held = this.picked.with(bar);
    this.ids = new Set(this.held.map(windowOf));
    this.phase = "held";
    this.byKeys = byKeys;
  }

  private rest(): void {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.held = [];
    this.ids = new Set();
    this.shift = 0;
    this.told = null;
    this.refusal = "";
    this.phase = "rest";
    this.stage.panel.hidden = true;
    this.stage.redraw();
  }

  private go(by: number): void {
    if (by === this.shift && this.told) return;
    this.shift = by;
    this.refusal = "";
    this.told = null;
    this.show();
    this.stage.redraw();
    clearTimeout(this.timer);
    this.asking?.abort();
    if (by) this.timer = window.setTimeout(() => void this.ask(), ASK_AFTER);
  }

  private async ask(): Promise<void> {
    this.asking?.abort();
    const mine = (this.asking = new AbortController());
    try {
      const answer = await this.post(false, mine.signal);
      if (mine.signal.aborted) return;
      this.told = answer;
    } catch (error) {
      if (mine.signal.aborted) return;
      this.refusal = (error as Error).message;
    }
    this.show();
    this.stage.redraw();
    if (this.byKeys) this.tell();
  }

  private async post(apply: boolean, signal: AbortSignal): Promise<Answer> {
    const answer = await fetch(this.stage.url, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": document.body.dataset.csrf ?? "" },
      body: asked(this.held, this.shift, apply),
      signal,
    });
    const read = (await answer.json().catch(() => ({}))) as Answer & { detail?: string; errors?: { message: string }[] };
    if (!answer.ok) throw new Error(read.errors?.[0]?.message ?? read.detail ?? this.stage.word("away", "The server did not answer."));
    return read;
  }

  // Words

  private get where(): string {
    const [first] = this.held;
    return first ? this.stage.period(first.start + this.shift, first.end + this.shift) : "";
  }

  private sentences(): { severity: string; message: string }[] {
    const all = (this.told?.moves ?? []).flatMap((one) => (one.ok ? one.findings : [{ severity: "block", message: one.reason }]));
    return [...new Map(all.map((one) => [one.message, one])).values()];
  }

  private tell(): void {
    const told = this.sentences();
    const many = this.held.length > 1 ? `${this.held.length} ${this.stage.word("picked", "selected")}, ` : "";
    this.say(`${many}${this.where}. ${this.refusal} ${told.map((one) => one.message).join(" ")} ${this.stage.word("how", "Enter applies, Escape leaves.")}`);
  }

  private say(text: string): void {
    this.stage.speech.textContent = text;
  }

  private show(): void {
    const told = this.sentences();
    const [first] = this.held;
    if (!first) return;
    const word = (name: string, usual: string): string => this.stage.word(name, usual);
    const usual: Record<string, [string, string]> = { block: ["bad", "blocks"], warn: ["warn", "warns"], inform: ["info", "informs"], unknown: ["unknown", "unknown"] };
    const waits = this.phase === "dropped" || (this.byKeys && this.phase === "held");
    render(
      html`<p class="fwt-move-head"><span class="fw-key">${first.key}</span>${this.held.length > 1 ? html`<span>+ ${this.held.length - 1}</span>` : nothing}<b>${this.where}</b></p>
        ${this.refusal ? html`<p class="fwt-move-refused">${this.refusal}</p>` : nothing}
        ${told.length ? html`<ul>${told.slice(0, 4).map((one) => html`<li><span class="fw-tag is-${usual[one.severity]?.[0] ?? "info"}">${word(one.severity, usual[one.severity]?.[1] ?? one.severity)}</span><span>${one.message}</span></li>`)}</ul>${told.length > 4 ? html`<p class="fw-note">+ ${told.length - 4}</p>` : nothing}` : nothing}
        ${this.phase !== "rest" && this.told && !told.length ? html`<p class="fwt-move-free">${word("free", "Nothing stands in the way.")}</p>` : nothing}
        ${waits && this.told?.confirm ? html`<p class="fw-note">${word("anew", "It is no draft: whoever approved it may be asked again.")}</p>` : nothing}
        ${waits ? html`<div class="fwt-move-foot"><button type="button" class="btn btn-primary btn-sm" ?disabled=${!this.shift} @click=${() => void this.apply()}>${word("apply", "Move")}</button><button type="button" class="btn btn-sm" @click=${() => this.leave()}>${word("cancel", "Cancel")}</button></div>` : nothing}`,
      this.stage.panel,
    );
    this.stage.panel.hidden = false;
    this.put();
  }

  private put(): void {
    const [first] = this.held;
    const at = first && this.stage.place(first);
    const box = this.stage.panel.parentElement?.closest("fw-timeline")?.getBoundingClientRect();
    if (!at || !box) return;
    const size = this.stage.panel.getBoundingClientRect();
    const below = at.bottom + 8 + size.height < innerHeight - 8;
    this.stage.panel.style.left = `${Math.max(8, Math.min(at.left, box.right - size.width - 12) - box.left)}px`;
    this.stage.panel.style.top = `${(below ? at.bottom + 8 : Math.max(8, at.top - size.height - 8)) - box.top}px`;
  }
}
