package loadgen

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// reading is the result of reading one answer.
type reading struct {
	kind      Kind // empty for a whole answer
	status    int
	length    int64
	keepAlive bool
	used      int // bytes up to the end of the answer
}

// read feeds text to a fresh reader, in pieces that end at the cuts and at the end of the text.
func read(text string, head bool, cuts ...int) reading {
	r := answerReader{head: head}
	return readBy(&r, r.feed, text, cuts...)
}

// readCached is read, but by a reader that has seen the head before.
func readCached(text string, head bool, cuts ...int) reading {
	var c headCache
	r := answerReader{head: head}
	feed := func(b []byte) (int, bool, error) { return c.feed(&r, b) }
	readBy(&r, feed, text)
	return readBy(&r, feed, text, cuts...)
}

func readBy(r *answerReader, feed func([]byte) (int, bool, error), text string, cuts ...int) reading {
	r.reset()
	used, from := 0, 0
	for _, to := range append(cuts, len(text)) {
		if from == to {
			continue
		}
		n, done, err := feed([]byte(text[from:to]))
		used += n
		from = to
		if err != nil {
			return reading{kind: Malformed}
		}
		if done {
			return reading{status: r.status, length: r.length, keepAlive: r.keepAlive(), used: used}
		}
	}
	done, kind := r.eof()
	if done {
		return reading{status: r.status, length: r.length, keepAlive: r.keepAlive(), used: used}
	}
	return reading{kind: kind}
}

// kept is a complete answer on a connection that stays open, gone one on a connection that closes.
func kept(length int64) reading { return reading{status: 200, length: length, keepAlive: true} }
func gone(length int64) reading { return reading{status: 200, length: length} }

var malformed, short = reading{kind: Malformed}, reading{kind: Short}

// The beginnings of many answers.
const (
	okLine   = "HTTP/1.1 200 OK\r\n"
	okChunks = okLine + "Transfer-Encoding: chunked\r\n\r\n"
)

// answers are texts, head reporting that the request was HEAD. What follows "|" is not part of the answer.
var answers = []struct {
	name, text string
	head       bool
	want       reading
}{
	{"with a length", okLine + "Content-Length: 5\r\n\r\nhello|", false, kept(5)},
	{"with a length and another answer after it", okLine + "Content-Length: 5\r\n\r\nhello|HTTP/1.1 200 OK\r\n", false,
		kept(5)},
	{"with an empty body", okLine + "content-length:0\r\n\r\n|", false, kept(0)},
	{"with equal lengths", okLine + "Content-Length: 1, 1\r\nContent-Length: 1\r\n\r\nx|", false, kept(1)},
	{"with bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello|", false, kept(5)},
	{"with a folded header", okLine + "Server: a\r\n b\r\n\t c\r\nContent-Length: 5\r\n\r\nhello|", false, kept(5)},
	{"whose length is folded", "HTTP/1.1 200 OK\nContent-Length:\n  \t5\n\nhello|", false, kept(5)},
	{"whose close is folded", okLine + "Content-Length: 0\r\nConnection: foo,\r\n close\r\n\r\n|", false, gone(0)},
	{"with a fold of nothing", okLine + "Content-Length: 0\r\nServer: a\r\n  \r\n\r\n|", false, kept(0)},
	{"with a folded trailer", okLine + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n|", false,
		kept(0)},
	{"without a reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n|", false, reading{status: 404, keepAlive: true}},
	{"until the connection closes", okLine + "Content-Type: text/html\r\n\r\n<h1>Hello</h1>|", false, gone(14)},
	{"until the connection closes, empty", okLine + "\r\n|", false, gone(0)},
	{"of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello|", false, gone(5)},
	{"of HTTP/1.0 with keep-alive",
		"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello|", false, kept(5)},
	{"announcing the close", okLine + "CONNECTION: foo, Close\r\nContent-Length: 5\r\n\r\nhello|", false, gone(5)},
	{"in chunks", okChunks + "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n|", false, kept(15)},
	{"in chunks with extensions, padding and trailers", okLine + "Transfer-Encoding: gzip, Chunked\r\n\r\n" +
		"5  \r\nhello\r\n01;a=\"b;c\"\r\n!\r\n000;x\r\nDigest: x\r\nExpires: never\r\n\r\n|HTTP", false, kept(6)},
	{"in a coding that is not chunked", okLine + "Transfer-Encoding: gzip\r\n\r\nxyz|", false, gone(3)},
	{"of HTTP/1.0 in chunks",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n|",
		false, gone(1)},
	{"after early hints", "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" +
		okLine + "Content-Length: 5\r\n\r\nhello|", false, kept(5)},
	{"to HEAD", okLine + "Content-Length: 5\r\n\r\n|", true, kept(0)},
	{"to HEAD, in chunks", okChunks + "|", true, kept(0)},
	{"204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n|HTTP", false, reading{status: 204, keepAlive: true}},
	{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n|", false, reading{status: 304, keepAlive: true}},

	{"nothing", "", false, reading{kind: Closed}},
	{"the start of a status line", "HTT", false, short},
	{"half a head", okLine + "Content-Len", false, short},
	{"early hints only", "HTTP/1.1 103 Early Hints\r\n\r\n", false, short},
	{"half a body", okLine + "Content-Length: 100\r\n\r\nhello", false, short},
	{"chunks without their end", okChunks + "5\r\nhello\r\n", false, short},
	{"chunks without the end of the trailers", okChunks + "0\r\nA: b\r\n", false, short},

	{"garbage", "garbage\r\n\r\n", false, malformed},
	{"garbage without an end", "<html>", false, malformed},
	{"another protocol", "HTTP/2 200\r\n\r\n", false, malformed},
	{"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", false, malformed},
	{"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", false, malformed},
	{"a status below 100", "HTTP/1.1 099 OK\r\n\r\n", false, malformed},
	{"a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\n", false, malformed},
	{"a header without a colon", okLine + "Server\r\n\r\n", false, malformed},
	{"a header without a name", okLine + ": x\r\n\r\n", false, malformed},
	{"a space before the colon", okLine + "Content-Length : 5\r\n\r\n", false, malformed},
	{"white space before the first header", okLine + " Server: a\r\n\r\n", false, malformed},
	{"a control character in a folded header", okLine + "Server: a\r\n \x01\r\n\r\n", false, malformed},
	{"a control character", okLine + "Server: a\x00b\r\n\r\n", false, malformed},
	{"two lengths", okLine + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", false, malformed},
	{"a length with a sign", okLine + "Content-Length: +5\r\n\r\nhello", false, malformed},
	{"a negative length", okLine + "Content-Length: -5\r\n\r\n", false, malformed},
	{"an empty length", okLine + "Content-Length:\r\n\r\n", false, malformed},
	{"a length beyond all bounds", okLine + "Content-Length: 18446744073709551621\r\n\r\nhello", false, malformed},
	{"a length and chunks", okLine + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		false, malformed},
	{"a coding after chunked", okLine + "Transfer-Encoding: chunked, gzip\r\n\r\n", false, malformed},
	{"a chunk size that is not a number", okChunks + "xyz\r\n", false, malformed},
	{"an empty chunk size", okChunks + "\r\n", false, malformed},
	{"a chunk size beyond all bounds", okChunks + "10000000000000005\r\nhello\r\n", false, malformed},
	{"a chunk longer than its size", okChunks + "5\r\nhello!\r\n0\r\n\r\n", false, malformed},
	{"a trailer that is none", okChunks + "0\r\nhello\r\n\r\n", false, malformed},
}

// An answer is read alike wherever it is cut in two, and cut once more right after.
func TestAnswerReader(t *testing.T) {
	for _, tt := range answers {
		answer, after, whole := strings.Cut(tt.text, "|")
		if whole {
			tt.want.used = len(answer)
		}
		text := answer + after
		for cut := range len(text) + 1 {
			for _, next := range []int{cut, min(cut+1, len(text)), len(text)} {
				if got := read(text, tt.head, cut, next); got != tt.want {
					t.Fatalf("%s, cut at %d and %d:\n got %+v\nwant %+v", tt.name, cut, next, got, tt.want)
				}
			}
		}
	}
}

func TestAnswerReaderLimits(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Kind
	}{
		{"a long head", okLine + "A: " + strings.Repeat("x", maxHead-100) + "\r\nContent-Length: 0\r\n\r\n", ""},
		{"too long a header", okLine + "A: " + strings.Repeat("x", maxHead) + "\r\nContent-Length: 0\r\n\r\n",
			Malformed},
		{"too many headers", okLine + strings.Repeat("A: b\r\n", maxHead/6) + "\r\n", Malformed},
		{"a header folded without end", okLine + "A: b" + strings.Repeat("\r\n b", maxHead) + "\r\n\r\n", Malformed},
		{"a header without an end", okLine + "A: " + strings.Repeat("x", 2*maxHead), Malformed},
		{"a long extension", okChunks + "0;" + strings.Repeat("x", maxChunkLine-10) + "\r\n\r\n", ""},
		{"too long an extension", okChunks + "0;" + strings.Repeat("x", maxChunkLine) + "\r\n\r\n", Malformed},
		{"too many trailers", okChunks + "0\r\n" + strings.Repeat("A: b\r\n", maxHead/6+1) + "\r\n", Malformed},
	} {
		for _, cut := range []int{len(tt.text), 1, 20, 60, 1000, 4000, len(tt.text) - 1} {
			assert.Equal(t, read(tt.text, false, cut).kind, tt.want, "%s, cut at %d", tt.name, cut)
		}
	}
}

func TestAnswerReaderKeepsWhole(t *testing.T) {
	var kept whole
	r := answerReader{whole: &kept}
	r.reset()
	text := "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
		"HTTP/1.1 200 Fine\r\nA:  b \t\r\n\t c\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
	for i := range text {
		must.Two(r.feed([]byte(text[i : i+1])))
	}
	if kept.statusLine != "HTTP/1.1 200 Fine" || string(kept.start) != "abcde" {
		t.Errorf("got %+v, body %q", kept, string(kept.start))
	}
}

// For any bytes of a server, cuts do not matter and no more is used than came. Answers that both we and Go's reader
// accept have the same status and length.
func FuzzAnswerReader(f *testing.F) {
	for _, a := range answers {
		text := strings.Replace(a.text, "|", "", 1)
		f.Add(text, a.head, uint(len(text)/2), uint(3))
	}
	f.Fuzz(func(t *testing.T, text string, head bool, first, second uint) {
		n := uint(len(text) + 1)
		cut := int(first % n)
		next := min(cut+int(second%n), len(text))
		uncut := read(text, head)
		assert.Equal(t, read(text, head, cut, next), uncut, "cut at %d and %d, and uncut", cut, next)
		assert.Equal(t, readCached(text, head, cut), uncut, "with the head remembered, and without")
		if uncut.used > len(text) || uncut.length > int64(len(text)) {
			t.Errorf("%d bytes were used, and %d of a body, of %d", uncut.used, uncut.length, len(text))
		}
		if uncut.kind != "" {
			return
		}
		if uncut.status < 200 || uncut.status > 999 {
			t.Errorf("status %d ended an answer", uncut.status)
		}
		if strings.Contains(text, "HTTP/1.0") && strings.Contains(strings.ToLower(text), "transfer-encoding") {
			return // Go takes the chunks of HTTP/1.0 for the body itself
		}
		status, length, err := readByGo(text, head)
		if err == nil && (status != uncut.status || length != uncut.length) {
			t.Errorf("got status %d and %d bytes; Go reads %d and %d", uncut.status, uncut.length, status, length)
		}
	})
}

func readByGo(text string, head bool) (status int, length int64, err error) {
	request := &http.Request{Method: "GET"}
	if head {
		request.Method = "HEAD"
	}
	b := bufio.NewReader(strings.NewReader(text))
	for {
		response, err := http.ReadResponse(b, request)
		if err != nil {
			return 0, 0, err
		}
		if response.StatusCode < 200 {
			continue
		}
		var body bytes.Buffer
		_, err = io.Copy(&body, response.Body)
		return response.StatusCode, int64(body.Len()), err
	}
}
