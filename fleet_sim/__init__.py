"""How well does a fleet of cameras see through a narrow pipe?"""
