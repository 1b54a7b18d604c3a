/** Shells that have a script here. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** The hidden subcommand that the scripts ask; it prints `value TAB description`, and `:file` when files fit. */
export const COMPLETE_COMMAND = '__complete';

const ask = `ottla ${COMPLETE_COMMAND} --`;

const scripts: Readonly<Record<Shell, string>> = {
  // Bash takes a word apart at colons: the line is split anew, so that host:port stays whole.
  bash: `_ottla() {
  local line words files='' current="\${COMP_WORDS[COMP_CWORD]}"
  read -ra words <<< "\${COMP_LINE:0:COMP_POINT}"
  [[ "\${COMP_LINE:0:COMP_POINT}" == *' ' ]] && words+=('')
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ "$line" == ':file' ]]; then files=1; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
  done < <(${ask} "\${words[@]:1}" 2>/dev/null)
  if [[ -n "$files" ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
  fi
}
complete -F _ottla ottla
`,
  zsh: `#compdef ottla
_ottla() {
  local -a suggestions
  local line files=''
  for line in "\${(@f)$(${ask} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ "$line" == ':file' ]]; then files=1
    elif [[ -n "$line" ]]; then suggestions+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( $#suggestions )) && _describe 'ottla' suggestions
  [[ -n "$files" ]] && _files
  return 0
}
if [[ "\${funcstack[1]}" == _ottla ]]; then _ottla "$@"; else compdef _ottla ottla; fi
`,
  fish: `function __ottla_complete
  set -l current (commandline -ct | string collect --allow-empty)
  set -l words (commandline -opc)
  set -l lines (${ask} $words[2..-1] $current 2>/dev/null)
  string match --invert -- ':file' $lines
  contains -- ':file' $lines; and __fish_complete_path $current
end
complete -c ottla -f -a '(__ottla_complete)'
`,
};

/** The script that makes a shell complete `ottla`. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}
