package bundles

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
	"benchbook/notebook/bundle"
)

// fetchTime is how long a server may send nothing.
var fetchTime = 30 * time.Second

// openBundle opens a bundle in a file or at an address.
func openBundle(ctx context.Context, from string, limits bundle.Limits) (r *bundle.Reader, done func(), err error) {
	in, err := opened(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	if r, err = bundle.Open(files.Stream{Context: ctx, Reader: in}, limits); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", named(from), err), in.Close())
	}
	return r, func() { _ = in.Close() }, nil
}

func isAddress(from string) bool {
	return strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://")
}

// named returns an address without its password, and the name of a file as it is.
func named(from string) string {
	if !isAddress(from) {
		return from
	}
	u, err := url.Parse(from)
	if err != nil {
		return "the address"
	}
	return u.Redacted()
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
	return fetch(ctx, from)
}

// weaker says that an address that another one leads to is not protected as that is.
func weaker(from, to *url.URL) bool { return from.Scheme == "https" && to.Scheme != "https" }

// fetch asks for an address.
func fetch(ctx context.Context, address string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("the address cannot be read: %w", e.Err) // e has the address with its password
	}
	if err != nil {
		return nil, err
	}
	address = named(address)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout, transport.MaxResponseHeaderBytes = fetchTime, 1<<20
	transport.DisableCompression = true // a bundle is compressed, and some servers say so in Content-Encoding
	client := http.Client{Transport: transport, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if len(via) >= 10 || weaker(via[0].URL, to.URL) {
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
		_ = response.Body.Close() // nobody reads it
		return nil, fmt.Errorf("%s answers %s", address, response.Status)
	}
	return newStalling(response.Body, address), nil
}

// stalling is a body that is closed when nothing comes for fetchTime.
type stalling struct {
	io.ReadCloser
	address string
	timer   *time.Timer
	stalled atomic.Bool
}

func newStalling(body io.ReadCloser, address string) *stalling {
	s := &stalling{ReadCloser: body, address: address}
	s.timer = time.AfterFunc(fetchTime, func() {
		s.stalled.Store(true)
		_ = body.Close() // the read that waits fails
	})
	s.timer.Stop()
	return s
}

func (s *stalling) Read(p []byte) (int, error) {
	s.timer.Reset(fetchTime)
	defer s.timer.Stop()
	n, err := s.ReadCloser.Read(p)
	if err != nil && s.stalled.Load() {
		err = fmt.Errorf("%s sent nothing for %s", s.address, fetchTime)
	}
	return n, err
}
