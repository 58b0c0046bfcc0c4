"""The subcommands of `edgewise`, a file each; they import what they need only when they run."""
