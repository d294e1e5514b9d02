
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  // What a stripe of a plot has in its title is shown at once, beside the pointer.
  var tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.appendChild(tip);
  document.querySelectorAll(".hover title").forEach(function (title) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  });
  function show(event) {
    var stripe = event.target.closest && event.target.closest("[data-tip]");
    tip.hidden = !stripe;
    if (!stripe) { return; }
    tip.textContent = stripe.dataset.tip;
    var x = event.clientX + 14, y = event.clientY + 14;
    if (x + tip.offsetWidth > window.innerWidth - 4) { x = event.clientX - tip.offsetWidth - 14; }
    if (y + tip.offsetHeight > window.innerHeight - 4) { y = event.clientY - tip.offsetHeight - 14; }
    tip.style.left = Math.max(4, x) + "px";
    tip.style.top = Math.max(4, y) + "px";
  }
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  document.addEventListener("scroll", function () { tip.hidden = true; }, { passive: true });

  // The search keeps the rows that hold every word.
  var box = document.getElementById("search"), count = document.getElementById("found");
  var groups = Array.prototype.map.call(document.querySelectorAll("#figures tbody"), function (group) {
    return { head: group.rows[0], rows: Array.prototype.slice.call(group.rows, 1) };
  });
  function search() {
    var words = box.value.toLowerCase().split(/\s+/).filter(Boolean), found = 0, all = 0;
    groups.forEach(function (group) {
      var here = 0;
      group.rows.forEach(function (row) {
        var text = row.textContent.toLowerCase();
        var is_in = words.every(function (word) { return text.includes(word); });
        row.classList.toggle("out", !is_in);
        here += is_in;
      });
      group.head.classList.toggle("out", here === 0);
      found += here;
      all += group.rows.length;
    });
    count.textContent = words.length ? found + " of " + all : "";
  }
  if (box) { box.addEventListener("input", search); }

  // A link to what is folded away unfolds it.
  function unfold() {
    var target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    var fold = target && target.closest("details");
    if (!fold) { return; }
    fold.open = true;
    if (box && target.classList.contains("out")) { box.value = ""; search(); }
    target.scrollIntoView({ block: "center" });
  }
  window.addEventListener("hashchange", unfold);
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) { unfold(); }
  });
  unfold();
})();
