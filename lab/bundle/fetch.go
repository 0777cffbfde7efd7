package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"benchbook/internal/files"
)

// fetchTime is how long a server may send nothing.
var fetchTime = 30 * time.Second

// openFrom opens a bundle in a file or at an address.
func openFrom(ctx context.Context, from string, limits Limits) (r *Reader, done func(), err error) {
	open := openFile
	if strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://") {
		open = fetch
	}
	in, err := open(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	if r, err = Open(files.Stream{Context: ctx, Reader: in}, limits); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", redacted(from), err), in.Close())
	}
	return r, func() { _ = in.Close() }, nil
}

// redacted returns an address without its password, or the name of a file.
func redacted(from string) string {
	if u, err := url.Parse(from); err == nil && u.User != nil {
		return u.Redacted()
	}
	return from
}

func openFile(_ context.Context, name string) (io.ReadCloser, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() { // opening a pipe may block
		err = fmt.Errorf("%s is not a file", name)
	}
	if err != nil {
		return nil, err
	}
	return os.Open(name)
}

// isWeaker reports whether a redirect leaves HTTPS.
func isWeaker(from, to *url.URL) bool { return from.Scheme == "https" && to.Scheme != "https" }

func fetch(ctx context.Context, address string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("the address cannot be read: %w", e.Err) // e has the address with its password
	}
	if err != nil {
		return nil, err
	}
	address = redacted(address)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout, transport.MaxResponseHeaderBytes = fetchTime, 1<<20
	transport.DisableCompression = true // some servers give the compression of a bundle as Content-Encoding
	client := http.Client{Transport: transport, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if len(via) >= 10 || isWeaker(via[0].URL, to.URL) {
			return fmt.Errorf("it leads to %s", to.URL.Redacted())
		}
		return nil
	}}
	response, err := client.Do(request)
	if e, ok := errors.AsType[*url.Error](err); ok && e.Timeout() && ctx.Err() == nil {
		return nil, fmt.Errorf("%s did not answer within %s", address, fetchTime)
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("%s answers %s", address, response.Status)
	}
	b := &timedBody{ReadCloser: response.Body, address: address}
	b.timer = time.AfterFunc(fetchTime, func() {
		b.stalled.Store(true)
		_ = response.Body.Close() // ends the pending read
	})
	b.timer.Stop()
	return b, nil
}

// timedBody closes a response body that sends nothing for fetchTime.
type timedBody struct {
	io.ReadCloser
	address string
	timer   *time.Timer
	stalled atomic.Bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	b.timer.Reset(fetchTime)
	defer b.timer.Stop()
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.stalled.Load() {
		err = fmt.Errorf("%s sent nothing for %s", b.address, fetchTime)
	}
	return n, err
}
