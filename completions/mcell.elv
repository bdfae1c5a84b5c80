set edit:completion:arg-completer[mcell] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) MCELL_COMPLETE_VERSION="0.1.0" COMPLETE="elvish" mcell -- $@words) | to-lines
}
