package parts

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// maxStreams is how many requests a connection of HTTP/2 may have under way.
const maxStreams = 1000

// protocolOf is the protocol of a load; empty for HTTP/1.1, which is the default and the same trial.
func protocolOf(l *article.Load) string {
	if l.Protocol.V == article.HTTP1 {
		return ""
	}
	return string(l.Protocol.V)
}

// streamsOf is how many requests a connection may have under way; 0 for one, which is the default.
func streamsOf(l *article.Load) int {
	if l.Streams.V > 1 {
		return l.Streams.V
	}
	return 0
}

// checkProtocol reports what a protocol does not have. Other tools and drivers have their own say.
//
// Source: docs/load.md#http2.
func (r *reading) checkProtocol(l *article.Load) {
	contradicts := func(at source.Pos, words, hint string) {
		r.problems.Add("contradiction", at, "%s", words).Hint = hint
	}
	between(l.Streams, "streams", maxStreams, r.problems)
	protocol := article.Protocol(protocolOf(l))
	if l.Protocol.Set() && !l.Protocol.Known() || l.Tool.V != article.OwnTool && l.Tool.Set() || l.Driver != nil {
		return
	}
	if protocol == "" {
		if l.Streams.V > 1 {
			contradicts(l.Streams.Text.Pos, "a connection of HTTP/1.1 has one request under way at a time",
				"add protocol: h2c for http:// targets or h2 for https:// targets, or raise connections")
		}
		return
	}
	if l.Keepalive.Known() && !l.Keepalive.V {
		contradicts(l.Keepalive.Text.Pos, "HTTP/2 keeps its connections for all requests",
			"remove keepalive, or protocol for HTTP/1.1")
	}
	for _, t := range l.Target {
		r.checkScheme(t.URL, protocol)
	}
	for _, s := range l.Steps {
		r.checkScheme(s.URL, protocol)
	}
	for _, h := range headersOf(l) {
		if isOfHTTP1(strings.ToLower(h.Name.Value), h.Value.Value) {
			contradicts(h.Name.Pos, "the header "+h.Name.Value+" does not exist in HTTP/2", "remove it")
		}
	}
}

// headersOf are all headers that a load sends.
func headersOf(l *article.Load) article.Environment {
	headers := slices.Clone(l.Headers)
	for _, t := range l.Target {
		headers = append(headers, t.Headers...)
	}
	for _, s := range l.Steps {
		headers = append(headers, s.Headers...)
	}
	return headers
}

// checkScheme reports a URL that a protocol is not for.
func (r *reading) checkScheme(url source.Text, protocol article.Protocol) {
	scheme, _, ok := strings.Cut(strings.ToLower(url.Value), "://")
	switch {
	case !ok: // a path, or reported already
	case protocol == article.HTTP2 && scheme == "http":
		r.problems.Add("contradiction", url.Pos, "h2 is HTTP/2 over TLS, and the target has an http:// URL").
			Hint = "write https://, or protocol: h2c for HTTP/2 without TLS"
	case protocol == article.HTTP2Clear && scheme == "https":
		r.problems.Add("contradiction", url.Pos, "h2c is HTTP/2 without TLS, and the target has an https:// URL").
			Hint = "write http://, or protocol: h2 for HTTP/2 over TLS"
	}
}

// isOfHTTP1 says that a field is about a connection of HTTP/1.1. Source: RFC 9113, 8.2.2.
func isOfHTTP1(name, value string) bool {
	switch name {
	case "keep-alive", "proxy-connection", "upgrade":
		return true
	case "te":
		return value != "trailers"
	}
	return false // what is ours to set is reported whatever the protocol
}
