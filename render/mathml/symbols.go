package mathml

import "strings"

// Symbols that commands stand for, by name. They are elements as they stand in a page.
var symbols = table(map[string]map[string]string{
	"mi": {
		"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
		"theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
		"rho": "ρ", "varrho": "ϱ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ",
		"psi": "ψ", "omega": "ω", "ell": "ℓ", "hbar": "ℏ",
	},
	`mi mathvariant="normal"`: {
		"Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
		"Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "infty": "∞", "partial": "∂", "nabla": "∇", "emptyset": "∅", "varnothing": "∅",
	},
	"mo": {
		"cdot": "⋅", "times": "×", "div": "÷", "pm": "±", "mp": "∓", "ast": "∗", "star": "⋆", "circ": "∘", "bullet": "•",
		"oplus": "⊕", "otimes": "⊗", "cup": "∪", "cap": "∩", "setminus": "∖", "wedge": "∧", "land": "∧", "vee": "∨", "lor": "∨",
		"neg": "¬", "lnot": "¬", "forall": "∀", "exists": "∃",
		"le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "ll": "≪", "gg": "≫", "approx": "≈", "sim": "∼",
		"simeq": "≃", "cong": "≅", "equiv": "≡", "propto": "∝", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂",
		"subseteq": "⊆", "supset": "⊃", "supseteq": "⊇", "mid": "∣", "parallel": "∥", "perp": "⊥", "lt": "&lt;", "gt": "&gt;",
		"to": "→", "rightarrow": "→", "leftarrow": "←", "gets": "←", "leftrightarrow": "↔", "Rightarrow": "⇒", "implies": "⟹",
		"Leftarrow": "⇐", "Leftrightarrow": "⇔", "iff": "⟺", "mapsto": "↦", "uparrow": "↑", "downarrow": "↓",
		"ldots": "…", "dots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱", "prime": "′", "colon": ":",
		"%": "%", "$": "$", "#": "#", "_": "_", "&": "&amp;", "int": "∫",
	},
	`mo stretchy="false"`:    fences,
	`mspace width="0.17em"`:  {",": ""},
	`mspace width="0.22em"`:  {":": "", ">": ""},
	`mspace width="0.28em"`:  {";": ""},
	`mspace width="0.33em"`:  {" ": ""},
	`mspace width="-0.17em"`: {"!": ""},
	`mspace width="1em"`:     {"quad": ""},
	`mspace width="2em"`:     {"qquad": ""},
})

// functions are names of several letters, and so upright.
var functions = table(map[string]map[string]string{
	`mi mathvariant="normal"`: {
		"log": "log", "ln": "ln", "lg": "lg", "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan", "arg": "arg", "dim": "dim", "deg": "deg",
	},
})

// large are those whose indices stand above and below them where there is room.
var large = table(map[string]map[string]string{
	"mo": {"sum": "∑", "prod": "∏", "coprod": "∐", "bigcup": "⋃", "bigcap": "⋂"},
	`mo movablelimits="true"`: {
		"min": "min", "max": "max", "lim": "lim", "sup": "sup", "inf": "inf", "limsup": "lim sup", "liminf": "lim inf",
		"argmin": "arg min", "argmax": "arg max",
	},
})

// table writes symbols as elements: the name of one, with its attributes, leads to names of commands and their symbols.
func table(elements map[string]map[string]string) map[string]string {
	out := map[string]string{}
	for element, names := range elements {
		for name, symbol := range names {
			tag := strings.Fields(element)[0]
			out[name] = "<" + strings.TrimSpace(element) + ">" + symbol + "</" + tag + ">"
		}
	}
	return out
}

// accents stand above what follows them, or below it.
var accents = map[string]string{
	"bar": "¯", "overline": "‾", "hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "vec": "→", "dot": "˙", "ddot": "¨",
	"underline": "_",
}

// fences are the brackets that \left and \right make grow, by the names of their commands.
var fences = map[string]string{
	"{": "{", "}": "}", "lbrace": "{", "rbrace": "}", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋",
	"lceil": "⌈", "rceil": "⌉", "lvert": "|", "rvert": "|", "vert": "|", "lVert": "‖", "rVert": "‖", "Vert": "‖", "|": "‖",
}
