// Closes an open group of the menu as people expect it: by Escape, or by a press elsewhere. The menu works without it.

const groups = document.querySelectorAll(".menu-group");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const group of groups) {
    if (!group.open) continue;
    const within = group.contains(document.activeElement);
    group.open = false;
    if (within) group.querySelector("summary").focus();
  }
});

document.addEventListener("click", (event) => {
  for (const group of groups) if (!group.contains(event.target)) group.open = false;
});
