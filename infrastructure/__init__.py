"""What touches a disk, a socket, a process or a clock."""
