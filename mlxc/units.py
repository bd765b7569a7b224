"""Conversion between Hartree atomic units and the units of files, the command line and the page (CODATA 2018)."""

BOHR_ANG = 0.529177210903
HARTREE_EV = 27.211386245988
EV_PER_ANG3_GPA = 160.21766208
EV_PER_ANG2_N_PER_M = 16.02176634
HARTREE_PER_BOHR3_GPA = HARTREE_EV / BOHR_ANG**3 * EV_PER_ANG3_GPA
