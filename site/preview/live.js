// Loads a page anew when the site has changed, and shows problems.
(function () {
  var version = document.currentScript.dataset.version;
  new EventSource("/.benchbook/events").onmessage = function (e) {
    var now = JSON.parse(e.data), box = document.getElementById("benchbook-problems");
    if (now.version !== version) return location.reload();
    if (box && box.textContent === now.problems) return;
    if (box) box.remove();
    if (!now.problems) return;
    box = Object.assign(document.createElement("pre"), { id: "benchbook-problems", role: "alert", textContent: now.problems });
    box.style.cssText = "position:fixed;inset:auto 0 0 0;max-height:50vh;overflow:auto;margin:0;padding:1em;z-index:9;" +
      "white-space:pre-wrap;background:#fff3e0;color:#1b1e21;border-top:3px solid #b84a00";
    document.body.appendChild(box);
  };
})();
