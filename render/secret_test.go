package render_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"benchbook/render"
	"benchbook/render/rendertest"
)

const withSecrets = `---
title: x
---

- Indented:

  §§§yaml experiment
  name: e
  services:
    server:
      image: "debian:bookworm"
      command: [sh, -c, "echo trust; login longpassword", --token, t0]
      environment:
        DB_PASSWORD: abc # as in DB_PASSWORD=abc
        DB_PASS: 'longpassword'
        SIGNING_KEY: >-
          first half
          second half
        POSTGRES_HOST_AUTH_METHOD: trust
        HOST_AUTH: trust
        MODE: fast
      expose: ["80"]
    other:
      image: debian
      environment: ["API_TOKEN=xyz", 'X=1']
  matrix: {auth: [none, basic]}
  load: {target: "http://server/?api_key=q1&page=2", headers: {X-Api-Key: "h1", Accept: text/html, X-Auth: "${{ matrix.auth }}"}, duration: 1s}
  §§§

§§§yaml experiment
name: c
command: {image: debian, run: [login, --password, pw, "http://x/?token=t2"]}
§§§
`

// What records hide, pages do not show either.
func TestListingsOfExperimentsHoldNoSecrets(t *testing.T) {
	b := rendertest.New(t, "secrets", []byte(strings.ReplaceAll(withSecrets, "§§§", "```")))
	page, err := newRenderer(t).Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(page.HTML), ""))
	for _, secret := range []string{"longpassword", "api_key=q1", "X-Api-Key: h1", "first half", "--password pw",
		"token=t2", "xyz"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is on the page", secret)
		}
	}
	from := strings.Index(text, "name: e\n")
	end := strings.Index(text, "duration: 1s}")
	if from < 0 || end < from {
		t.Fatalf("the page has no listing: %s", text)
	}
	const want = `name: e
services:
  server:
    image: "debian:bookworm"
    command: [sh, -c, "echo trust; login [redacted]", --token, [redacted]]
    environment:
      DB_PASSWORD: [redacted] # as in DB_PASSWORD=[redacted]
      DB_PASS: [redacted]
      SIGNING_KEY: [redacted]
        [redacted]
      POSTGRES_HOST_AUTH_METHOD: trust
      HOST_AUTH: [redacted]
      MODE: fast
    expose: ["80"]
  other:
    image: debian
    environment: ["API_TOKEN=[redacted]", 'X=1']
matrix: {auth: [none, basic]}
load: {target: "http://server/?api_key=[redacted]&page=2", headers: {X-Api-Key: [redacted], Accept: text/html, X-Auth: "${{ matrix.auth }}"}, `
	if got := text[from:end]; got != want {
		t.Errorf("the listing is\n%s\nwant\n%s", got, want)
	}
}
