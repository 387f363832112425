"use strict";
// Sort, filter and drill from team to app, model and template. Everything works without it: the tables are in the page.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const rows = read("cube");
  const words = read("words");
  const path = [];
  const state = { sort: "cost", down: true, text: "" };
  const root = document.getElementById("explorer");

  const make = (tag, text, attributes = {}) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };

  // As the page writes amounts: whole units from 1,000, cents from 1, else two significant digits.
  const places = (value) => {
    const digits = (size) => Math.max(2, 1 - Math.floor(Math.log10(size)));
    const exact = Math.abs(value);
    const size = exact > 0 && exact < 1000 ? Number(exact.toFixed(digits(exact))) : exact;
    return size === 0 || size >= 1000 ? 0 : digits(size);
  };
  const shown = (value) => Number(value.toFixed(places(value)));
  const money = (value) => {
    if (value === null) return words.unknown;
    const digits = places(value);
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return `${value < 0 ? "\u2212" : ""}${words.symbol}${Math.abs(value).toLocaleString("en-US", options)}`;
  };
  // As the page does, cost as shown less tax as shown, so that the three add up; it is off by a last digit at most.
  const balanced = (group) => {
    if (group.policy === null) return null;
    const rest = shown(group.cost) - shown(group.tax);
    const unit = 10 ** -places(group.policy);
    return Math.abs(rest - shown(group.policy)) > 1.001 * unit || places(rest) !== places(group.policy) ? group.policy : rest;
  };
  const count = (value) => value.toLocaleString("en-US");
  const columns = [
    ["name", (group) => group.name],
    ["requests", (group) => count(group.requests)],
    ["cost", (group) => money(group.cost)],
    ["share", (group) => (group.share === null ? words.unknown : `${(group.share * 100).toFixed(1)}%`)],
    ["policy", (group) => money(balanced(group))],
    ["tax", (group) => money(group.tax)],
    ["moved", (group) => count(group.moved)],
  ];

  const level = () => path.length;
  const chosen = () => rows.filter((row) => path.every((name, index) => row.path[index] === name));
  const add = (sum, value) => (value === null ? sum : (sum ?? 0) + value);

  const grouped = () => {
    const groups = new Map();
    for (const row of chosen()) {
      const name = row.path[level()];
      const group = groups.get(name) ?? { name, requests: 0, moved: 0, cost: null, tax: null };
      group.requests += row.requests;
      group.moved += row.moved;
      group.cost = add(group.cost, row.cost);
      group.tax = add(group.tax, row.tax);
      groups.set(name, group);
    }
    return finished([...groups.values()]);
  };

  const finished = (groups) => {
    const total = groups.reduce((sum, group) => sum + (group.cost ?? 0), 0);
    for (const group of groups) {
      group.policy = group.tax === null ? null : group.cost - group.tax;
      group.share = group.cost === null || !total ? null : group.cost / total;
    }
    return groups;
  };

  const ordered = (groups) => {
    const sign = state.down ? -1 : 1;
    const key = state.sort;
    return groups.sort((a, b) => {
      if (key === "name") return sign * a.name.localeCompare(b.name);
      if (a[key] === null || b[key] === null) return (a[key] === null) - (b[key] === null);
      return sign * (a[key] - b[key]) || a.name.localeCompare(b.name);
    });
  };

  const crumbs = () => {
    const list = make("ol", undefined, { class: "crumbs", "aria-label": words.place });
    [words.all, ...path].forEach((name, index) => {
      const item = make("li");
      const here = index === path.length;
      const button = make(here ? "b" : "button", name, here ? {} : { type: "button" });
      if (!here) button.addEventListener("click", () => { path.length = index; state.text = ""; draw(); });
      item.append(button);
      list.append(item);
    });
    return list;
  };

  const field = () => {
    const label = make("label", `${words.filter} `);
    const input = make("input", undefined, { type: "search", id: "filter" });
    input.value = state.text;
    input.addEventListener("input", () => { state.text = input.value; fill(); });
    label.append(input);
    return label;
  };

  const heading = (key) => {
    const head = make("th", undefined, { scope: "col", class: key === "name" ? "" : "n" });
    if (state.sort === key) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    const arrow = state.sort === key ? (state.down ? " \u2193" : " \u2191") : "";
    const title = key === "name" ? words.levels[level()] : words.columns[key];
    const button = make("button", `${title}${arrow}`, { type: "button" });
    button.addEventListener("click", () => {
      state.down = state.sort === key ? !state.down : key !== "name";
      state.sort = key;
      draw();
    });
    head.append(button);
    return head;
  };

  const line = (group, last) => {
    const row = make("tr");
    columns.forEach(([key, write], index) => {
      const cell = make(index ? "td" : "th", undefined, index ? { class: "n" } : { scope: "row" });
      const deeper = !index && !last && level() + 1 < words.levels.length;
      const node = deeper ? make("button", write(group), { type: "button" }) : document.createTextNode(write(group));
      if (deeper) node.addEventListener("click", () => { path.push(group.name); state.text = ""; draw(); });
      if (["cost", "policy", "tax"].includes(key) && group[key] !== null) cell.title = String(group[key]);
      cell.append(node);
      row.append(cell);
    });
    return row;
  };

  const fill = () => {
    const wanted = state.text.toLowerCase();
    const groups = ordered(grouped().filter((group) => group.name.toLowerCase().includes(wanted)));
    const body = document.getElementById("explored");
    body.replaceChildren(...groups.map((group) => line(group, false)));
    const sum = (key) => groups.reduce((total, group) => add(total, group[key]), null);
    const total = { name: words.total, requests: sum("requests") ?? 0, moved: sum("moved") ?? 0, cost: sum("cost") };
    total.tax = sum("tax");
    total.policy = total.tax === null ? null : total.cost - total.tax;
    total.share = groups.every((group) => group.share === null) ? null : sum("share");
    document.getElementById("sums").replaceChildren(line(total, true));
  };

  const draw = () => {
    const table = make("table");
    const head = make("thead");
    const top = make("tr");
    top.append(...columns.map(([key]) => heading(key)));
    head.append(top);
    table.append(head, make("tbody", undefined, { id: "explored" }), make("tfoot", undefined, { id: "sums" }));
    const scroll = make("div", undefined, { class: "scroll", role: "region", tabindex: "0", "aria-label": words.place });
    scroll.append(table);
    root.replaceChildren(crumbs(), field(), scroll);
    fill();
  };

  draw();
  document.getElementById("explore").hidden = false;
})();
