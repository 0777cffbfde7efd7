// Keeps a page of the preview up to date. What changed is put into the page that is there, so that the reader stays in place: position,
// focus, opened parts, sorted tables. Problems lie over the page until they are mended.
(function () {
  var me = document.currentScript, version = me.getAttribute("data-version"), assets = me.getAttribute("data-assets");
  // The page as the server wrote it; the other scripts have not changed it yet. What follows is compared with this.
  var written = document.body.cloneNode(true), busy = false, latest = null, failures = 0;

  function update(state) {
    latest = state;
    show(state);
    if (state.version === version || busy) return;
    if (state.assets !== assets || document.body.hasAttribute("data-missing")) { location.reload(); return; }
    busy = true;
    fetch(location.href, { cache: "no-store" }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.text();
    }).then(function (text) {
      failures = 0;
      var fresh = new DOMParser().parseFromString(text, "text/html");
      var script = fresh.querySelector("script[data-version]");
      replace(fresh);
      version = script.getAttribute("data-version");
      busy = false;
      if (latest.version !== version) update(latest);
    }, function () {
      // Chromium ends all requests when a network comes or goes, as those of containers do in a run.
      if (++failures > 3) throw new Error("no answer");
      setTimeout(function () { busy = false; update(latest); }, 200);
    }).catch(function () { location.reload(); });
  }

  // replace makes the page what fresh says.
  function replace(fresh) {
    var anchor = topmost(), before = anchor && anchor.getBoundingClientRect().top, focus = focused(), added = [];
    document.title = fresh.title;
    patch(written, fresh.body, document.body, added);
    written = fresh.body;
    added.forEach(function (node) {
      if (node.nodeType === 1 && node.isConnected) node.dispatchEvent(new CustomEvent("benchbook:added", { bubbles: true }));
    });
    if (anchor && anchor.isConnected) window.scrollBy(0, anchor.getBoundingClientRect().top - before);
    var again = focus && document.querySelector(focus);
    if (again && again !== document.activeElement) again.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("benchbook:updated"));
  }

  // topmost is the first block of text that can be seen.
  function topmost() {
    var blocks = document.querySelectorAll("main p, main h1, main h2, main h3, main li, main figure, main table");
    for (var i = 0; i < blocks.length; i++) if (blocks[i].getBoundingClientRect().bottom > 0) return blocks[i];
    return null;
  }

  // focused is how what has the focus is found again, if it is exchanged.
  function focused() {
    var e = document.activeElement;
    if (!e || e === document.body) return null;
    if (e.id) return "#" + CSS.escape(e.id);
    var by = e.getAttribute("aria-describedby") || e.getAttribute("href");
    return by && (e.hasAttribute("href") ? 'a[href="' : '[aria-describedby="') + CSS.escape(by) + '"]';
  }

  function isOurs(node) { return node.nodeName === "SCRIPT"; }
  function whole(node) { return /^(table|svg|pre|SCRIPT)$/i.test(node.nodeName); }

  // patch makes live, which shows what old says, show what fresh says. Scripts may have changed live in details; where they changed its
  // shape, it is exchanged.
  function patch(old, fresh, live, added) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeName !== fresh.nodeName || old.nodeName !== live.nodeName || whole(old)) {
      if (isOurs(old) && isOurs(fresh)) return;
      var node = document.importNode(fresh, true);
      live.replaceWith(node);
      added.push(node);
      return;
    }
    if (old.nodeType !== 1) { live.data = fresh.data; return; }
    Array.prototype.forEach.call(fresh.attributes, function (a) {
      if (old.getAttribute(a.name) !== a.value) live.setAttribute(a.name, a.value);
    });
    Array.prototype.forEach.call(old.attributes, function (a) { if (!fresh.hasAttribute(a.name)) live.removeAttribute(a.name); });
    var a = nodes(old), b = nodes(fresh), l = nodes(live), first = 0, last = 0;
    if (l.length !== a.length) {
      live.replaceChildren.apply(live, b.map(function (n) { return document.importNode(n, true); }));
      nodes(live).forEach(function (n) { added.push(n); });
      return;
    }
    while (first < a.length && first < b.length && a[first].isEqualNode(b[first])) first++;
    while (last < a.length - first && last < b.length - first && a[a.length - 1 - last].isEqualNode(b[b.length - 1 - last])) last++;
    var from = a.length - last, to = b.length - last, i = first;
    for (; i < from && i < to; i++) patch(a[i], b[i], l[i], added);
    for (var k = i; k < from; k++) l[k].remove();
    for (; i < to; i++) {
      var more = document.importNode(b[i], true);
      live.insertBefore(more, l[from] || null);
      added.push(more);
    }
  }
  // nodes are those in another, of a body up to our script: what follows that was not there yet when it ran.
  function nodes(parent) {
    var list = Array.prototype.slice.call(parent.childNodes);
    var end = parent.nodeName === "BODY" ? list.findIndex(function (n) { return n.nodeType === 1 && n.hasAttribute("data-version"); }) : -1;
    return end < 0 ? list : list.slice(0, end + 1);
  }

  // Problems and the progress of a run stand beside the body, so that it stays as the server wrote it.
  var root = document.documentElement, problems = null, progress = null, hidden = "";
  function show(state) {
    if (state.problems === "" || state.problems !== hidden) hidden = "";
    if (problems && (state.problems === "" || problems.textOf !== state.problems)) { problems.remove(); problems = null; }
    if (!problems && state.problems !== "" && !hidden) {
      problems = make("section", "benchbook-problems", root);
      problems.textOf = state.problems;
      problems.setAttribute("role", "alert");
      problems.setAttribute("aria-label", "Problems");
      var head = make("header", "", problems), button = make("button", "", head);
      head.prepend("The articles have problems, so this page was not updated. ");
      button.type = "button";
      button.textContent = "Hide";
      button.addEventListener("click", hide);
      make("pre", "", problems).textContent = state.problems;
    }
    say((state.progress || []).join("\n"));
  }
  function hide() { if (problems) { hidden = problems.textOf; problems.remove(); problems = null; } }
  document.addEventListener("keydown", function (e) { if (e.key === "Escape") hide(); });
  function say(text) {
    if (!text) { if (progress) { progress.remove(); progress = null; } return; }
    if (!progress) { progress = make("aside", "benchbook-progress", root); progress.setAttribute("role", "status"); }
    progress.textContent = text;
  }
  function make(name, kind, parent) {
    var e = document.createElement(name);
    if (kind) e.className = kind;
    parent.appendChild(e);
    return e;
  }
  var lost = "The preview has ended. This page waits until it is started again at the same port.";

  // One stream serves all tabs of a browser: it opens six connections to an address at most, and pages need some of them.
  if (window.SharedWorker) {
    var worker = new SharedWorker("/.benchbook/stream.js");
    worker.port.onmessage = function (e) { if (e.data === null) say(lost); else update(JSON.parse(e.data)); };
    window.addEventListener("pagehide", function () { worker.port.postMessage("bye"); });
    window.addEventListener("pageshow", function (e) { if (e.persisted) location.reload(); });
  } else {
    var source = new EventSource("/.benchbook/events");
    source.onmessage = function (e) { update(JSON.parse(e.data)); };
    source.onerror = function () { say(lost); };
  }
})();
