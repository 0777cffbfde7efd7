package docker

import (
	"errors"
	"fmt"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
)

func TestDebianRelease(t *testing.T) {
	tests := []struct{ image, want string }{
		{"debian:bookworm", "bookworm"},
		{"debian:bookworm-slim", "bookworm"},
		{"debian:12", "bookworm"},
		{"debian:12-slim", "bookworm"},
		{"debian:12.9-slim", "bookworm"},
		{"debian:stable-slim", "stable"},
		{"debian", "stable"},
		{"debian:trixie", "trixie"},
		{"library/debian:13", "trixie"},
		{"docker.io/library/debian:11", "bullseye"},
		{"debian:bookworm-20250520", ""},
		{"debian:bookworm-backports", ""},
		{"debian:1", ""},
		{"debian@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", ""},
		{"debian:12@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", ""},
		{"python:3.11-bookworm", ""},
		{"somebody/debian:12", ""},
		{"mirror.example/library/debian:12", ""},
	}
	for _, tt := range tests {
		named, err := reference.ParseNormalizedNamed(tt.image)
		if err != nil {
			t.Fatal(err)
		}
		if got := debianRelease(reference.TagNameOnly(named)); got != tt.want {
			t.Errorf("debianRelease(%s) = %q, want %q", tt.image, got, tt.want)
		}
	}
}

func TestUnreachable(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"no name server knows it", errors.New(
			`Get "https://r.example/v2/": dial tcp: lookup r.example on 10.0.0.2:53: no such host`), true},
		{"refused", errors.New("dial tcp 10.0.0.1:443: connect: connection refused"), true},
		{"silent", fmt.Errorf("pulling: %w", errNoAnswer), true},
		{"a certificate in between", errors.New("x509: certificate signed by unknown authority"), true},
		{"a proxy that refuses", errors.New("unexpected status: 403 Forbidden"), true},
		{"no such image", errdefs.ErrNotFound.WithMessage("manifest for debian:nothing not found"), false},
		{"not for us", errdefs.ErrUnauthenticated.WithMessage("dial tcp is a bad user name"), false},
		{"too many requests", errors.New("toomanyrequests: you have reached your pull rate limit"), false},
		{"no space", errors.New("write /var/lib/docker/tmp/x: no space left on device"), false},
	}
	for _, tt := range tests {
		if got := unreachable(tt.err); got != tt.want {
			t.Errorf("%s: unreachable(%v) = %v, want %v", tt.name, tt.err, got, tt.want)
		}
	}
}

func TestParsePlatform(t *testing.T) {
	if p, err := parsePlatform("linux/arm/v7"); err != nil || p.OS != "linux" || p.Architecture != "arm" ||
		p.Variant != "v7" {
		t.Errorf("got %+v, %v", p, err)
	}
	for _, bad := range []string{"", "linux", "linux/", "linux/arm64/v8/x", "$BUILDPLATFORM"} {
		if p, err := parsePlatform(bad); err == nil {
			t.Errorf("parsePlatform(%q) = %+v, want an error", bad, p)
		}
	}
}
