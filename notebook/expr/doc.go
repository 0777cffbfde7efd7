// Package expr is the expression language of articles, for expect, {value}, values, where, slo, --only and ${{ }}.
//
// Source text becomes a tree of Nodes. Every node knows the bytes it was read from, and every error is an *Error that
// points at such bytes, so that a caller can show the place in an article. Node.String prints canonical source that
// parses to the same tree.
//
// Numbers are kept in the base unit of their dimension (s, B, 1/s, B/s, cores, or 1). Unlike dimensions are never
// compared or added. An Env provides the values of selectors.
//
// Parameters are texts and stay as written: a text that reads as a quantity counts as one where a quantity is needed,
// and true or false as a truth value.
//
// Source: docs/expressions.md#grammar; units docs/method.md#definitions.
package expr
