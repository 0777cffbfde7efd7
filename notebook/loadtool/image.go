package loadtool

// An Image is a recipe for the image that a tool runs in.
type Image struct {
	Dockerfile string
	Path       string // of the program in it

	// Package is the source of the program. Release is its version if the Dockerfile names one; if not, Package is a
	// package of Debian.
	Package, Release string
}

// debian returns an image with a Debian package. path is that of the program.
func debian(name, path string) Image {
	return Image{
		Dockerfile: "FROM debian:bookworm-slim\n" + install(name),
		Path:       path,
		Package:    name,
	}
}

// goModule returns an image with a program of a Go module.
//
// These modules need a newer Go than Debian has. A newer Go is itself a module; the image does by hand what the go
// command does for GOTOOLCHAIN. All these images share their first steps.
//
// Source: go.dev/doc/toolchain; cmd/go/internal/toolchain.
func goModule(name, path, release string) Image {
	return Image{
		Dockerfile: "FROM debian:bookworm-slim AS build\n" + install("ca-certificates golang-go") +
			"RUN toolchain=golang.org/toolchain@v0.0.1-go1.26.8.linux-$(go env GOARCH) && go mod download $toolchain && " +
			"mv /root/go/pkg/mod/$toolchain /usr/local/go && rm -rf /root/go && cd /usr/local/go && " +
			"cp src/_go.mod src/go.mod && chmod -R +x bin pkg/tool\n" +
			"RUN CGO_ENABLED=0 GOTOOLCHAIN=local GOBIN=/tool /usr/local/go/bin/go install " + path + "@" + release +
			" && rm -rf /root/go /root/.cache\n" + "FROM debian:bookworm-slim\nCOPY --from=build /tool/" + name +
			" /usr/local/bin/\n",
		Path:    name,
		Package: path,
		Release: release,
	}
}

// crate returns an image with the program of a Rust crate, built with its locked dependencies. Debian has a current
// compiler for its browsers.
func crate(name, release string) Image {
	return Image{
		Dockerfile: "FROM debian:bookworm-slim AS build\n" + install("ca-certificates cargo-web cmake g++ libc6-dev make") +
			"RUN cargo install " + name + "@" + release + " --locked --root /tool && rm -rf /root/.cargo\n" +
			"FROM debian:bookworm-slim\nCOPY --from=build /tool/bin/" + name + " /usr/local/bin/\n",
		Path:    name,
		Package: name,
		Release: release,
	}
}

// install returns the step of a Dockerfile that installs Debian packages.
func install(packages string) string {
	return "RUN apt-get update && apt-get install -y --no-install-recommends " + packages +
		" && rm -rf /var/lib/apt/lists/*\n"
}
