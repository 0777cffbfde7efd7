package files_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/files"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// odd makes a folder with every kind of file.
func odd(t *testing.T) string {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	huge := must.Get(os.Create(in("huge")))
	socket := must.Get(net.Listen("unix", in("socket")))
	t.Cleanup(func() { _ = socket.Close() })
	must.Do(errors.Join(huge.Truncate(1<<40), huge.Close(), os.WriteFile(in("file"), []byte("text"), 0o600),
		os.Mkdir(in("folder"), 0o755),
		syscall.Mkfifo(in("pipe"), 0o600), os.Symlink("loop", in("loop")), os.Symlink("file", in("link")),
		os.Symlink("pipe", in("piped")),
		os.Symlink("/dev/zero", in("zero"))))
	return dir
}

func TestRead(t *testing.T) {
	dir := odd(t)
	root := must.Get(os.OpenRoot(dir))
	defer root.Close()
	readers := map[string]func(string) ([]byte, error){
		"Read": func(name string) ([]byte, error) {
			data, _, err := files.Read(filepath.Join(dir, name), 4)
			return data, err
		},
		"ReadIn": func(name string) ([]byte, error) { data, _, err := files.ReadIn(root, name, 4); return data, err },
	}
	tests := []struct {
		name, text string
		err        error  // nil for any
		words      string // of the error; "" for the system's
	}{
		{"file", "text", nil, ""},
		{"link", "text", nil, ""},
		{"folder", "", nil, ""},
		{"pipe", "", files.ErrNotRegular, "it is a named pipe, not a file"},
		{"piped", "", files.ErrNotRegular, "it is a named pipe, not a file"},
		{"socket", "", files.ErrNotRegular, "it is a socket, not a file"},
		{"loop", "", syscall.ELOOP, ""},
		{"huge", "", files.ErrTooLarge, "it has more than 4 bytes"},
		{"nothing", "", fs.ErrNotExist, ""},
	}
	for how, read := range readers {
		for _, test := range tests {
			t.Run(how+" "+test.name, func(t *testing.T) {
				done := make(chan struct{})
				go func() {
					defer close(done)
					data, err := read(test.name)
					if (err == nil) != (test.text != "") || string(data) != test.text || test.err != nil && !errors.Is(err, test.err) {
						t.Errorf("got %q, %v", data, err)
					}
					if p, ok := errors.AsType[*fs.PathError](err); ok {
						err = p.Err
					}
					if test.words != "" && err.Error() != test.words {
						t.Errorf("got the error %v, want %s", err, test.words)
					}
				}()
				select {
				case <-done:
				case <-time.After(10 * time.Second):
					t.Fatal("it waits")
				}
			})
		}
	}
	_, _, err := files.Read(filepath.Join(dir, "zero"), 4)
	assert.Is(t, err, files.ErrNotRegular, "a device")
	assert.Equal(t, err.Error(), "it is a device, not a file")
	_, _, err = files.ReadIn(root, "zero", 4)
	assert.Error(t, err, "") // as the link leads out of the folder
}

func TestIsWord(t *testing.T) {
	for word, want := range map[string]bool{
		"sockets": true, "a-b_2": true, "été": true, "сервер": true, "हिन्दी": true, "": false, "2a": false, "a-": false,
		"_a": false, "a b": false, "a.b": false, "ि": false, strings.Repeat("x", files.MaxName+1): false,
	} {
		assert.Equal(t, files.IsWord(word), want, "%q is a word", word)
	}
}

func TestIsName(t *testing.T) {
	for _, good := range []string{"full", "2x", "ci-fast", "c2-39de7f", "größe", "実験", "a b", "v1.2", "_x",
		strings.Repeat("x", files.MaxName)} {
		assert.Equal(t, files.IsName(good), true, "%q is a name", good)
	}
	for _, bad := range []string{"", ".", "..", "../evil", "ci/fast", `ci\fast`, "/etc", ".hidden", "-rf", "a\x00b",
		"a\nb", "a\x1bb", "a\u202eb", "a\u200bb",
		"a\u00a0b", "a ", "a.", "\xff", "C:", "a#b", strings.Repeat("x", files.MaxName+1)} {
		assert.Equal(t, files.IsName(bad), false, "%q is a name", bad)
	}
}
