// How near typed letters come to a label: all of them in their order, better where words begin and where they touch.

export interface Hit {
  score: number;
  /** The places of the letters in the label, for marking them. */
  at: number[];
}

const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();

export function fuzzy(typed: string, label: string): Hit | null {
  const wanted = [...fold(typed)].filter((letter) => letter.trim());
  const letters = [...label].map((letter) => fold(letter).slice(0, 1) || letter);
  if (!wanted.length) return { score: 0, at: [] };
  // from the left, but a letter that begins a word is taken before one inside, as long as the rest still fits
  let best: Hit | null = null;
  for (let start = 0; start < letters.length; start += 1) {
    if (letters[start] !== wanted[0]) continue;
    const found = follow(wanted, letters, start);
    if (found && (!best || found.score > best.score)) best = found;
  }
  // a word typed as it stands goes before letters that only happen to come in that order
  const whole = whole_(wanted, letters);
  if (whole && (!best || whole.score > best.score)) best = whole;
  return best;
}

function whole_(wanted: string[], letters: string[]): Hit | null {
  for (let start = 0; start + wanted.length <= letters.length; start += 1) {
    if (!begins(letters, start) || !wanted.every((letter, place) => letters[start + place] === letter)) continue;
    const at = wanted.map((_, place) => start + place);
    const ends = !/[\p{L}\p{N}]/u.test(letters[start + wanted.length] ?? "");
    return { score: 12 + 8 * wanted.length + (ends ? 20 : 10) - start / 50 - letters.length / 200, at };
  }
  return null;
}

function begins(letters: string[], place: number): boolean {
  return place === 0 || !/[\p{L}\p{N}]/u.test(letters[place - 1] ?? "");
}

function follow(wanted: string[], letters: string[], start: number): Hit | null {
  const at = [start];
  let score = begins(letters, start) ? 12 : 2;
  for (let next = 1; next < wanted.length; next += 1) {
    const last = at[next - 1] ?? 0;
    let place = -1;
    for (let here = last + 1; here < letters.length; here += 1) {
      if (letters[here] !== wanted[next]) continue;
      if (place < 0) place = here;
      if (here === last + 1) break;
      if (begins(letters, here) && fits(wanted, letters, next + 1, here)) {
        place = here;
        break;
      }
    }
    if (place < 0) return null;
    score += place === last + 1 ? 8 : begins(letters, place) ? 6 : 1;
    at.push(place);
  }
  return { score: score - start / 50 - letters.length / 200, at };
}

function fits(wanted: string[], letters: string[], next: number, after: number): boolean {
  let place = after;
  for (const letter of wanted.slice(next)) {
    place = letters.indexOf(letter, place + 1);
    if (place < 0) return false;
  }
  return true;
}

/** Cut a label into pieces, each with whether its letters were typed. */
export function pieces(label: string, at: number[]): [string, boolean][] {
  const hits = new Set(at);
  const found: [string, boolean][] = [];
  [...label].forEach((letter, place) => {
    const last = found[found.length - 1];
    if (last && last[1] === hits.has(place)) last[0] += letter;
    else found.push([letter, hits.has(place)]);
  });
  return found;
}
