# SPDX-License-Identifier: BSD-3-Clause
# bash completion of heddle: the program itself knows what may follow.

_heddle()
{
	local line=${COMP_LINE:0:COMP_POINT} text typed part
	local -a words
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=("")
	typed=${words[-1]}
	# readline replaces only what stands behind the last : or = of the word
	part=${typed##*[:=]}
	COMPREPLY=()
	while IFS=$'\t' read -r text _; do
		if [ "$text" = @file ]; then
			compopt -o filenames 2>/dev/null
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$typed")
		else
			COMPREPLY+=("${text#"${typed%"$part"}"}")
		fi
	done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _heddle heddle
