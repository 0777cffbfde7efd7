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
	"time"

	"benchbook/internal/files"
	"benchbook/notebook/bundle"
)

const fetchTime = 30 * time.Second // until a server begins to answer

// openBundle opens a bundle in a file or at an address.
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
	return fetch(ctx, from)
}

// weaker says that an address that another one leads to is not protected as that is.
func weaker(from, to *url.URL) bool { return from.Scheme == "https" && to.Scheme != "https" }

// fetch asks for an address.
func fetch(ctx context.Context, address string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
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
		return nil, fmt.Errorf("%s did not answer within %s", address, fetchTime)
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // nobody reads it
		return nil, fmt.Errorf("%s answers %s", address, response.Status)
	}
	return response.Body, nil
}
