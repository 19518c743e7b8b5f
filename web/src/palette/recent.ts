// The records that one opened last, kept in this browser until one signs out.

export interface Recent {
  key: string;
  name: string;
  href: string;
}

const PLACE = "fw-recent";
const MOST = 8;

export function recent(): Recent[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    return Array.isArray(found) ? found.filter((one): one is Recent => typeof one?.href === "string" && one.href.startsWith("/") && typeof one.key === "string") : [];
  } catch {
    return [];
  }
}

export function remember(): void {
  const mark = document.querySelector<HTMLElement>("[data-record]");
  try {
    if (mark?.dataset.record) {
      const here: Recent = { key: mark.dataset.record, name: mark.dataset.name ?? "", href: mark.dataset.href ?? location.pathname };
      localStorage.setItem(PLACE, JSON.stringify([here, ...recent().filter((one) => one.href !== here.href)].slice(0, MOST)));
    }
    document.addEventListener("submit", (event) => {
      if ((event.target as HTMLFormElement).action.endsWith("/sign-out")) localStorage.removeItem(PLACE);
    });
  } catch {
    // a browser that keeps nothing has no recent records
  }
}
