package loadgen

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Check asks for every target once, at each address that the load would go to, and checks the answers even if the
// config does not want that. What is wrong with an answer is in it; an error means that the config is invalid or the
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
			a.Method, a.URL = t.request.Method, config.Targets[i].URL
			answers = append(answers, a)
		}
	}
	return answers, nil
}

func (l *load) checkTarget(ctx context.Context, o *origin, r *Request) ([]Answer, error) {
	addresses, err := o.resolve(ctx, l.config.Timeout)
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
		got, refusal, err := l.probe(ctx, o, address, l.questionFor(r))
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
