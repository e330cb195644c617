"""The Natron group: a PyPlug whose code is loaded inside Natron only."""
