package http

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// CheckArgument makes the program benchbook-load check only. With AwaitArgument it is started before its load is wanted, and sends nothing
// until AwaitedWord comes in on standard input, or that of BeginAt. An input that ends without it, as that of somebody who was killed does,
// begins nothing.
const (
	CheckArgument = "check"
	AwaitArgument = "await"
	AwaitedWord   = "begin\n"
)

// BeginAt is the word for a load that begins at a moment of the wall clock of the generator's machine.
func BeginAt(moment time.Time) string {
	return strings.TrimSuffix(AwaitedWord, "\n") + " " + strconv.FormatInt(moment.UnixNano(), 10) + "\n"
}

// ParseWord reads the word to begin. The moment is zero for at once.
func ParseWord(word string) (moment time.Time, ok bool) {
	if word == AwaitedWord {
		return time.Time{}, true
	}
	text, ok := strings.CutPrefix(word, strings.TrimSuffix(AwaitedWord, "\n")+" ")
	if !ok {
		return time.Time{}, false
	}
	ns, err := strconv.ParseInt(strings.TrimSuffix(text, "\n"), 10, 64)
	if err != nil || BeginAt(time.Unix(0, ns)) != word {
		return time.Time{}, false
	}
	return time.Unix(0, ns), true
}

// Answer is what one target of a config answered at one address when it was asked once.
type Answer struct {
	Method  string         `json:"method"`
	URL     string         `json:"url"`
	Address netip.AddrPort `json:"address,omitzero"` // none where the name has none
	Status  int            `json:"status,omitempty"` // 0 where no whole answer came
	Length  int64          `json:"length"`           // of the body, in bytes
	Took    time.Duration  `json:"took_ns"`          // with opening a connection
	Failure string         `json:"failure,omitempty"`
}

// Check asks for every target once, at each address that the load would go to, and checks the answers as it is done before timing,
// whether the config wants that or not. Whatever is wrong with an answer is in it; an error means that the config is invalid or the
// context ended.
func Check(ctx context.Context, config Config) ([]Answer, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	l, err := newLoad(&config)
	if err != nil {
		return nil, err
	}
	var answers []Answer
	for i := range l.targets {
		t := &l.targets[i]
		found, err := l.checkTarget(ctx, l.origins[t.origin], t.request)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			a.Method, a.URL = t.request.method, config.Targets[i].URL
			answers = append(answers, a)
		}
	}
	return answers, nil
}

func (l *load) checkTarget(ctx context.Context, o *origin, r *request) ([]Answer, error) {
	resolving, stop := context.WithTimeout(ctx, l.config.Timeout)
	addresses, err := o.resolve(resolving)
	stop()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return []Answer{{Failure: err.Error()}}, nil
	}
	var answers, refused []Answer
	for _, address := range addresses {
		if len(answers) > 0 && answers[0].Address.Addr().Is4() != address.Addr().Is4() {
			break // see choose
		}
		begin := time.Now()
		got, refusal, err := l.probe(ctx, o, address, r)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		a := Answer{Address: address, Took: time.Since(begin), Length: got.body.length}
		if refusal != nil {
			a.Failure = fmt.Sprintf("no connection: %v", refusal)
			refused = append(refused, a)
			continue
		}
		a.Status = got.status()
		if err != nil {
			a.Failure = err.Error() + got.describe()
		}
		answers = append(answers, a)
	}
	if len(answers) == 0 {
		return refused, nil
	}
	return answers, nil
}

// status is the status of an answer; 0 if it has none.
func (a *whole) status() int {
	_, rest, _ := strings.Cut(a.statusLine, " ")
	code, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	n, err := strconv.Atoi(code)
	if err != nil {
		return 0
	}
	return n
}
