// The stream of the preview, shared by all tabs of a browser.
var ports = [], last = null, source = new EventSource("/.benchbook/events");
function tell(data) { ports.forEach(function (p) { p.postMessage(data); }); }
source.onmessage = function (e) { last = e.data; tell(last); };
source.onerror = function () { tell(null); };
onconnect = function (e) {
  var port = e.ports[0];
  ports.push(port);
  port.onmessage = function () { ports = ports.filter(function (p) { return p !== port; }); };
  if (last !== null) port.postMessage(last);
};
