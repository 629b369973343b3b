"use strict";
// Sorts a table by the column whose heading is clicked: numbers by data-order, texts by themselves; a second click turns it round.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement;
    const body = heading.closest("table").tBodies[0];
    const place = [...heading.parentElement.children].indexOf(heading);
    const before = heading.getAttribute("aria-sort");
    const isNumber = heading.classList.contains("number");
    const down = before ? before === "ascending" : isNumber;
    const key = (row) => {
      const cell = row.children[place];
      return isNumber ? Number(cell.dataset.order ?? -Infinity) : cell.textContent;
    };
    const compare = (a, b) => (isNumber ? key(a) - key(b) || 0 : key(a).localeCompare(key(b), undefined, { numeric: true }));
    const rows = [...body.rows].sort((a, b) => (down ? compare(b, a) : compare(a, b)));
    for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
  });
}
// Paper cannot be unfolded.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
