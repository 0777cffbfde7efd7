
// What follows is here while a run measures: it shows how far that is, and shows the new page when it has ended. A page opened from a
// disk may load scripts but not read files, so the progress is a script, too.
(function () {
  var root = document.currentScript.src.replace(/[^/]*$/, ""), box = null;
  window.benchbookProgress = function (lines) {
    if (!box) {
      box = document.createElement("aside");
      box.setAttribute("role", "status");
      box.style.cssText = "position:fixed;right:1rem;bottom:1rem;z-index:999;max-width:min(40rem,calc(100vw - 2rem));box-sizing:border-box;" +
        "padding:.5rem .75rem;white-space:pre-line;background:#1d2a3a;color:#eef4fb;border-radius:6px;font:13px/1.45 system-ui,sans-serif";
      document.documentElement.appendChild(box);
    }
    if (box.textContent !== lines.join("\n")) box.textContent = lines.join("\n");
  };
  function look() {
    var script = document.createElement("script");
    script.src = root + "progress.js?" + Date.now();
    script.onload = function () { script.remove(); setTimeout(look, 3000); };
    script.onerror = function () { script.remove(); if (box) location.reload(); };
    document.head.appendChild(script);
  }
  if (/^(file:|http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/])/.test(location.href)) look();
})();
