"""Every definition of every standard operator as small models: each version, each element type, each attribute."""
