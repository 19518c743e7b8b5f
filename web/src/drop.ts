// Files dropped on a form that takes them are sent at once, as those that are chosen.

export function drop(): void {
  const form = (event: Event): HTMLFormElement | null => (event.target as Element).closest?.<HTMLFormElement>("form[data-drop]") ?? null;
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input instanceof HTMLInputElement && input.type === "file" && input.files?.length) form(event)?.requestSubmit();
  });
  document.addEventListener("dragover", (event) => {
    const over = form(event);
    if (!over || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over.classList.add("is-over");
  });
  document.addEventListener("dragleave", (event) => form(event)?.classList.remove("is-over"));
  document.addEventListener("drop", (event) => {
    const over = form(event);
    const input = over?.querySelector<HTMLInputElement>("input[type=file]");
    if (!over || !input || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    over.classList.remove("is-over");
    input.files = event.dataTransfer.files;
    over.requestSubmit();
  });
}
