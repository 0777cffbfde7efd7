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

// openStream opens a file, or downloads a URL into a temporary file that vanishes when it is closed. It asks before it
// downloads more than large bytes.
func (r *reproduction) openStream(ctx context.Context, from string, ask func() error) (*os.File, error) {
	if strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://") {
		return fetch(ctx, from, r.At("."), fetchTime, ask)
	}
	file, err := files.Open(r.Located(from), maxBytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", from, files.Reason(err))
	}
	return file, nil
}

// fetchTime is how long a server may take to begin its answer, and pause during it.
const fetchTime = 30 * time.Second

// errStalled means that a server paused for longer than it may.
var errStalled = errors.New("the server stopped sending")

// fetch downloads a URL into an unlinked file in dir. It follows redirects, but never from HTTPS to another scheme.
// Errors do not contain a password of the URL.
func fetch(ctx context.Context, address, dir string, patience time.Duration, ask func() error) (*os.File, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("the address cannot be read: %w", e.Err)
	}
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = patience
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
	file, err := os.CreateTemp(dir, ".benchbook-*.bundle")
	if err == nil {
		err = os.Remove(file.Name()) // the open file stays usable
	}
	if err != nil {
		return nil, err
	}
	body := &stallReader{response.Body, time.AfterFunc(patience, func() { cancel(errStalled) }), patience}
	defer body.timer.Stop()
	if err = body.copyTo(file, ask); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("fetching %s: %w", request.URL.Redacted(), err)
	}
	return file, nil
}

// stallReader reads a response. Its timer cancels the request if nothing arrives for patience.
type stallReader struct {
	io.Reader
	timer    *time.Timer
	patience time.Duration
}

func (a *stallReader) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if n > 0 {
		a.timer.Reset(a.patience)
	}
	return n, err
}

// copyTo copies the response to a file. It asks before it copies more than large bytes.
func (a *stallReader) copyTo(file *os.File, ask func() error) error {
	size, err := io.Copy(file, io.LimitReader(a, large+1))
	if err != nil || size <= large {
		return err
	}
	a.timer.Stop()
	if err := ask(); err != nil {
		return err
	}
	a.timer.Reset(a.patience)
	more, err := io.Copy(file, io.LimitReader(a, maxBytes-large))
	if err == nil && size+more > maxBytes {
		err = errors.New("it is larger than a bundle may be")
	}
	return err
}

func checkRedirect(to *http.Request, via []*http.Request) error {
	if len(via) >= 10 || via[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
		return fmt.Errorf("it leads to %s", to.URL.Redacted())
	}
	return nil
}
