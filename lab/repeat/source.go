package repeat

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"benchbook/files"
	"benchbook/lab/bundles"
	"benchbook/notebook/bundle"
)

const (
	maxPage   = 32 << 20         // bytes of a page that a bundle is looked for on
	fetchTime = 30 * time.Second // until a server begins to answer
)

// openBundle opens a bundle in a file, at an address, or of a page at an address.
func openBundle(ctx context.Context, from string, limits bundle.Limits) (r *bundle.Reader, done func(), err error) {
	in, err := opened(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	if r, err = bundle.Open(files.Stream{Context: ctx, Reader: in}, limits); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", from, err), in.Close())
	}
	return r, func() { _ = in.Close() }, nil
}

func isAddress(from string) bool {
	return strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://")
}

func opened(ctx context.Context, from string) (io.ReadCloser, error) {
	if !isAddress(from) {
		info, err := os.Stat(from)
		if err == nil && !info.Mode().IsRegular() { // a pipe might never be written to
			err = fmt.Errorf("%s is not a file", from)
		}
		if err != nil {
			return nil, err
		}
		return os.Open(from)
	}
	body, base, err := fetch(ctx, from)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReader(body)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return peeked{in, body}, nil
	}
	page, err := io.ReadAll(io.LimitReader(in, maxPage))
	_ = body.Close() // all of it that is wanted was read
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	link := bundleLink.FindSubmatch(page)
	if link == nil {
		return nil, fmt.Errorf("%s is neither a bundle nor a page that has one: name the address of the file that ends in %s",
			from, bundles.Suffix)
	}
	at, err := base.Parse(html.UnescapeString(string(link[1])))
	if err != nil {
		return nil, fmt.Errorf("%s: the address of its bundle: %w", from, err)
	}
	if !isAddress(at.String()) || weaker(base, at) {
		return nil, fmt.Errorf("%s: its bundle is at %s, which is not as safe an address", from, at.Redacted())
	}
	body, _, err = fetch(ctx, at.String())
	return body, err
}

// bundleLink finds the bundle of a page.
var bundleLink = regexp.MustCompile(`<a [^>]*href="([^"]+\.bundle)"`)

// peeked reads what is left of an answer behind what was peeked at.
type peeked struct {
	io.Reader
	io.Closer
}

// weaker says that an address that another one leads to is not protected as that is.
func weaker(from, to *url.URL) bool { return from.Scheme == "https" && to.Scheme != "https" }

// fetch asks for an address, and says which one it led to.
func fetch(ctx context.Context, address string) (body io.ReadCloser, at *url.URL, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = fetchTime
	client := http.Client{Transport: transport, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if len(via) >= 10 || weaker(via[0].URL, to.URL) {
			return fmt.Errorf("it leads to %s", to.URL.Redacted())
		}
		return nil
	}}
	response, err := client.Do(request)
	if e, ok := errors.AsType[*url.Error](err); ok && e.Timeout() && ctx.Err() == nil {
		return nil, nil, fmt.Errorf("%s did not answer within %s", address, fetchTime)
	}
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // nobody reads it
		return nil, nil, fmt.Errorf("%s answers %s", address, response.Status)
	}
	return response.Body, response.Request.URL, nil
}
