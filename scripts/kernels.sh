# SPDX-License-Identifier: GPL-2.0-or-later
# kernels.sh - quickstart kernels
#
# What is tested has to be built here first: the virtual machines have this machine's files.

# kernels [NAME]...
kernels()
{
	build_pasvd
	ninja -C build || fail "the build failed"
	tests/lab/packages.sh || fail "the lab's packages could not be installed"
	tests/kernels/kernels.py "$@"
}
