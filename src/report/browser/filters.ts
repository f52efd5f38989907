import type { FilterData } from "./data.ts";
import { all, dataText, make } from "./dom.ts";

/** Controls that pick runs: what tells only of others is hidden in tables, and faint in drawings. */
export function setUpFilters(): void {
  const place = document.getElementById("filters");
  if (place === null) return;
  const { fields, runs }: FilterData = JSON.parse(dataText("filters-data"));
  const form = make("form", { class: "filters", "aria-label": "Which runs are shown" });
  const selects = fields.map(({ name, options }) => {
    const label = form.appendChild(make("label"));
    const select = make("select");
    select.append(make("option", { value: "", text: "all" }));
    for (const [index, text] of options.entries()) select.append(make("option", { value: String(index), text }));
    label.append(make("span", { text: name }), select);
    return select;
  });
  const reset = make("button", { type: "button", class: "tool", text: "All runs" });
  const told = make("output");
  form.append(reset, told);
  place.append(form);
  const apply = () => {
    const shown = new Set(
      Array.from(runs.keys()).filter((run) =>
        selects.every(({ value }, field) => value === "" || runs[run]?.[field]?.includes(Number(value))),
      ),
    );
    for (const element of all(Element, "[data-runs]")) {
      const own = element.getAttribute("data-runs")?.split(" ") ?? [];
      element.classList.toggle("out", !own.some((run) => shown.has(Number(run))));
    }
    reset.hidden = selects.every(({ value }) => value === "");
    told.textContent =
      shown.size === runs.length ? "" : `${shown.size} of ${runs.length} runs; fronts stay those of all.`;
  };
  form.addEventListener("change", apply);
  reset.addEventListener("click", () => {
    for (const select of selects) select.value = "";
    apply();
    selects[0]?.focus();
  });
  apply();
}
