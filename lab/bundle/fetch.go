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
	"time"

	"benchbook/internal/files"
)

// openStream opens a file, or fetches an address into a temporary file that is gone when it is closed.
func openStream(ctx context.Context, from string) (*os.File, error) {
	if strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://") {
		return fetch(ctx, from)
	}
	file, err := files.Open(from, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", from, files.Reason(err))
	}
	return file, nil
}

// fetchTime is how long a server may take to begin its answer.
const fetchTime = 30 * time.Second

// fetch requests an address. It follows redirects, but none from HTTPS to another scheme. Errors do not have a password
// of the address.
func fetch(ctx context.Context, address string) (*os.File, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("the address cannot be read: %w", e.Err)
	}
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = fetchTime
	transport.DisableCompression = true // some servers call the compression of a bundle Content-Encoding
	client := http.Client{Transport: transport, CheckRedirect: checkRedirect}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", request.URL.Redacted(), response.Status)
	}
	file, err := os.CreateTemp("", "benchbook-*.bundle")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name()) // it stays open
	size, err := io.Copy(file, io.LimitReader(response.Body, maxBytes+1))
	switch {
	case err != nil:
	case size > maxBytes:
		err = errors.New("it is larger than a bundle may be")
	default:
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("fetching %s: %w", request.URL.Redacted(), err)
	}
	return file, nil
}

func checkRedirect(to *http.Request, via []*http.Request) error {
	if len(via) >= 10 || via[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
		return fmt.Errorf("it leads to %s", to.URL.Redacted())
	}
	return nil
}
